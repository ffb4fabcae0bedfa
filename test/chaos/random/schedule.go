package random

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Step is one harm of a schedule.
type Step struct {
	At     time.Duration `json:"at"` // since the harm began
	Name   string        `json:"name"`
	Client int           `json:"client"` // whose stream is harmed, where one is aimed at
}

const (
	// quietRuns is how many times its quiet time a run must last for a kind to be drawn.
	quietRuns = 10
	// quietBefore is how long before a kind that needs quiet it begins.
	quietBefore = 2 * time.Second
)

// draw returns a schedule that depends on nothing but its arguments. Each kind
// that befalls everyone has a place of its own, evenly spread, so that all are
// reached in a short run too; between them half of what is drawn aims at one
// stream, as that has the most to get wrong.
func draw(seed uint64, kinds []Harm, clients int, during, every time.Duration) []Step {
	random := rand.New(rand.NewPCG(seed, seed))
	single, wide := split(kinds)
	wide = slices.DeleteFunc(wide, func(k Harm) bool { return quietRuns*k.Quiet > during }) // it is insisted on afterwards
	random.Shuffle(len(wide), func(i, j int) { wide[i], wide[j] = wide[j], wide[i] })
	random.Shuffle(len(single), func(i, j int) { single[i], single[j] = single[j], single[i] })
	d := &drawing{Rand: random, single: single, wide: wide, during: during, last: map[string]time.Duration{}}
	var steps []Step
	for at := every; at < during; at += every {
		if kind, ok := d.next(at); ok {
			d.last[kind.Name] = at
			steps = append(steps, Step{At: at, Name: kind.Name, Client: d.IntN(clients)})
		}
	}
	return steps
}

// drawing is a schedule while it is drawn.
type drawing struct {
	*rand.Rand
	single, wide []Harm
	placed, met  int // of wide and of single: how many have had their place
	during       time.Duration
	last         map[string]time.Duration // when each kind was asked for last

	quiet time.Duration // until then nothing befalls everyone, but
	soon  *Harm         // this one, at
	due   time.Duration
}

// next returns what is asked for at a time, if anything is.
func (d *drawing) next(at time.Duration) (kind Harm, ok bool) {
	if d.soon != nil && at >= d.due {
		kind, d.soon = *d.soon, nil
		return kind, true
	}
	if at >= d.quiet {
		wide, drawn := d.nextWide(at)
		if drawn && wide.Quiet == 0 {
			return wide, true
		}
		if drawn {
			d.soon, d.due = &wide, at+quietBefore
			d.quiet = d.due + wide.Quiet
		}
	}
	return d.nextSingle()
}

func (d *drawing) nextWide(at time.Duration) (kind Harm, ok bool) {
	place := time.Duration(float64(d.during) * (float64(d.placed) + 0.5) / float64(max(1, len(d.wide))))
	switch {
	case d.placed < len(d.wide) && at >= place:
		d.placed++
		return d.wide[d.placed-1], true
	case d.met < len(d.single):
		return kind, false
	case d.placed > 0 && d.IntN(2) == 0: // again one that has had its place
		kind = d.wide[d.IntN(d.placed)]
		return kind, at-d.last[kind.Name] >= kind.Every
	}
	return kind, false
}

func (d *drawing) nextSingle() (kind Harm, ok bool) {
	switch {
	case d.met < len(d.single):
		d.met++
		return d.single[d.met-1], true
	case len(d.single) > 0:
		return d.single[d.IntN(len(d.single))], true
	}
	return kind, false
}

// split separates harms that aim at one stream from the others.
func split(kinds []Harm) (single, wide []Harm) {
	for _, kind := range kinds {
		if kind.aimed() {
			single = append(single, kind)
		} else {
			wide = append(wide, kind)
		}
	}
	return slices.Clip(single), slices.Clip(wide)
}

// aimed reports whether a harm needs a stream that it is done to.
func (h Harm) aimed() bool { return h.Scope == OneStream || h.Scope == OneGroup }

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

// quietRuns is how many times its quiet time a run must last for a kind to be drawn.
const quietRuns = 10

// draw returns a schedule that depends on nothing but its arguments. Each kind
// that befalls everyone has a place of its own, evenly spread, so that all are
// reached in a short run too; between them half of what is drawn aims at one
// stream, as that has the most to get wrong.
func draw(seed uint64, kinds []Harm, clients int, during, every time.Duration) []Step {
	d := rand.New(rand.NewPCG(seed, seed))
	single, wide := split(kinds)
	wide = slices.DeleteFunc(wide, func(k Harm) bool { return quietRuns*k.Quiet > during }) // it is insisted on afterwards
	d.Shuffle(len(wide), func(i, j int) { wide[i], wide[j] = wide[j], wide[i] })
	d.Shuffle(len(single), func(i, j int) { single[i], single[j] = single[j], single[i] })
	steps, last := []Step(nil), map[string]time.Duration{}
	placed, met := 0, 0       // of wide and of single: how many have had their place
	quiet := time.Duration(0) // until when nothing befalls everyone
	for at := every; at < during; at += every {
		kind, ok := Harm{}, false
		switch due := time.Duration(float64(during) * (float64(placed) + 0.5) / float64(max(1, len(wide)))); {
		case placed < len(wide) && at >= due && at >= quiet:
			kind, ok = wide[placed], true
			placed++
		case met < len(single):
			kind, ok = single[met], true
			met++
		case placed > 0 && at >= quiet && d.IntN(2) == 0: // again one that has had its place
			kind = wide[d.IntN(placed)]
			ok = at-last[kind.Name] >= kind.Every
		}
		if !ok && len(single) > 0 {
			kind, ok = single[d.IntN(len(single))], true
		}
		if ok {
			last[kind.Name] = at
			quiet = max(quiet, at+kind.Quiet)
			steps = append(steps, Step{At: at, Name: kind.Name, Client: d.IntN(clients)})
		}
	}
	return steps
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

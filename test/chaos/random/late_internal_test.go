package random

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/chaos/check"
	"github.com/taskcluster/events-proxy/test/chaos/history"
)

// A stream that is moved long after a node was harmed is explained by that, and one that ends so at
// any other time is not; the judge of the history says the same.
func TestALateEndIsExplainedInItsTimeAlone(t *testing.T) {
	for claim, c := range map[string]struct {
		links   []int // seconds after the asking
		end     int
		code    actors.Code
		untried bool // the harm was given up instead of healed
		want    bool
	}{
		"moved a while after a link has gone":       {links: []int{1}, end: 60, want: true},
		"of a harm whose sign was missed":           {links: []int{1}, end: 60, untried: true, want: true},
		"while the harm is under way":               {links: []int{1}, end: 28, want: true},
		"long after it, as the last link came late": {links: []int{1, 140}, end: 250, want: true},
		"too soon":                                     {links: []int{1}, end: 19},
		"too long after the last link":                 {links: []int{1, 140}, end: 261},
		"too long after it was over":                   {links: []int{1}, end: 151},
		"no link has changed":                          {end: 60},
		"a link has changed before the harm":           {links: []int{-5}, end: 60},
		"a link has changed when all had been settled": {links: []int{1, 155}, end: 160},
		"another code":                                 {links: []int{1}, end: 60, code: actors.BrokerLost},
	} {
		t.Run(claim, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const healed = 30
				run := newRehearsal()
				harm := &life{kind: Harm{Name: "node killed", Scope: Everyone, Late: Late{
					Codes: []actors.Code{actors.StreamExpired}, After: 20 * time.Second, For: 2 * time.Minute,
				}}}
				for second := -10; second < c.end; second++ {
					switch {
					case slices.Contains(c.links, second):
						run.relink()
					case second == 0:
						harm.asked = time.Now()
						run.enter(harm)
					case second == healed && c.untried:
						run.giveUp(harm, "no sign")
					case second == healed:
						harm.healed = time.Now()
						run.history.Add(history.Healed{Harm: harm.number})
					}
					time.Sleep(time.Second)
				}
				code := actors.StreamExpired
				if c.code != "" {
					code = c.code
				}
				if got, judged := run.end(t, string(code)); got != c.want || judged != c.want {
					t.Errorf("explained: %t by the run, %t by the judge", got, judged)
				}
			})
		})
	}
}

// rehearsal is a run with one stream, whose proxy is played.
type rehearsal struct {
	*conductor
	lines bytes.Buffer
	links picture
}

func newRehearsal() *rehearsal {
	r := &rehearsal{}
	o := Options{Log: io.Discard, Clients: 1}
	r.conductor = &conductor{options: o, history: history.New(&r.lines), book: newBook(o), local: true}
	r.harms.count = map[string]*HarmCount{"node killed": {}}
	r.record()
	r.history.Add(history.Open{Stream: 1, Status: 200})
	return r
}

// relink has the proxy get one more link.
func (r *rehearsal) relink() {
	now := r.links
	now.Links = append(slices.Clone(now.Links), actors.LinkState{Address: "a:1", Since: time.Now()})
	r.linksBetween(r.links, now)
	r.linksBetween(now, now) // nothing has changed
	r.links = now
}

// end ends the stream and returns whether that is explained, by the run and by the judge.
func (r *rehearsal) end(t *testing.T, code string) (explained, judged bool) {
	r.history.Add(history.Error{Stream: 1, Code: code, Retryable: true})
	r.history.Add(history.End{Stream: 1, How: "order"})
	r.explained(&reader{}, code, time.Now())
	if err := r.history.Close(); err != nil {
		t.Fatal(err)
	}
	judgement, err := check.Judge(&r.lines)
	if err != nil {
		t.Fatal(err)
	}
	judged = !slices.ContainsFunc(judgement.Violations, func(v check.Violation) bool { return v.Invariant == untouched })
	return r.book.violations() == 0, judged
}

package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/taskcluster/events-proxy/test/clients"
)

// gap is a client's time without a stream: from the error event of one to the ready event of the
// next one that got so far.
type gap struct {
	code     string // of the error
	from, to time.Time
	tries    int // streams that were opened for it
}

// gaps returns those of a client that are over.
func gaps(c *clients.Obedient) (list []gap) {
	var open *gap
	for _, s := range c.Streams() {
		received := s.Received()
		for _, e := range received.Events {
			switch at := s.Opened().Add(e.At); {
			case e.Name == "ready" && open != nil:
				open.to = at
				open.tries++
				list = append(list, *open)
				open = nil
			case e.Name == "error" && open == nil:
				failure, _, _ := received.Failure() // the client has checked it
				open = &gap{code: failure.Code, from: at}
			case e.Name == "error":
				open.tries++
			}
		}
	}
	return list
}

// times are durations, sorted when they are asked for.
type times []time.Duration

// quantile returns the duration that the part q of all is not above.
func (t times) quantile(q float64) time.Duration {
	if len(t) == 0 {
		return 0
	}
	slices.Sort(t)
	return t[min(len(t)-1, int(q*float64(len(t))))]
}

func (t times) String() string {
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
	return fmt.Sprintf("p50 %s, p99 %s, at most %s", round(t.quantile(0.5)), round(t.quantile(0.99)), round(t.quantile(1)))
}

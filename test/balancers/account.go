package balancers

import (
	"fmt"
	"maps"
	"slices"

	"github.com/taskcluster/events-proxy/test/clients"
)

// account is what became of the numbered messages.
type account struct {
	Streams  int
	Received int
	Between  int // missed between two streams: after the last of one, before the first of the next
	Within   int // missed inside a stream, which must not be
	Twice    int // received twice
	Codes    map[string]int
}

func (a *account) add(o *clients.Obedient) {
	last := 0
	for _, s := range o.Streams() {
		r := s.Received()
		a.Streams++
		if failure, told, err := r.Failure(); told && err == nil {
			a.Codes[failure.Code]++
		}
		for i, n := range r.Numbers() {
			a.Received++
			switch gap := n - last - 1; {
			case last == 0: // the client's first
			case gap < 0:
				a.Twice++
			case i == 0:
				a.Between += gap
			default:
				a.Within += gap
			}
			last = max(last, n)
		}
	}
}

func (a account) String() string {
	var ends []string
	for _, code := range slices.Sorted(maps.Keys(a.Codes)) {
		ends = append(ends, fmt.Sprintf("%s %d", code, a.Codes[code]))
	}
	return fmt.Sprintf("%d streams (ended: %v), %d messages received, %d missed between two streams of a client, %d within one, %d twice",
		a.Streams, ends, a.Received, a.Between, a.Within, a.Twice)
}

// has reports whether the client's present stream is ready, and has got the message with the number
// n or a later one (0: no message is asked for).
func has(o *clients.Obedient, n int) bool {
	received, open := o.Current()
	return open && received.Ready() && received.LastNumber() >= n
}

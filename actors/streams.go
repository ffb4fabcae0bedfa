package actors

import (
	"slices"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// StreamState is one open stream, as an operator sees it.
type StreamState struct {
	ID           string         `json:"id"`
	Address      string         `json:"address,omitempty"`
	Bindings     []amqp.Binding `json:"bindings"`
	State        string         `json:"state"` // of its connection actor
	Age          time.Duration  `json:"age"`   // nanoseconds
	Messages     int64          `json:"messages"`
	Bytes        int64          `json:"bytes"`        // of the messages' JSON
	Waiting      int            `json:"waiting"`      // events that the reader has not taken
	WaitingBytes int            `json:"waitingBytes"` // of the messages among them
}

// StreamEnd is a stream that has ended.
type StreamEnd struct {
	ID       string        `json:"id"`
	Address  string        `json:"address,omitempty"`
	Code     Code          `json:"code"`
	Reason   string        `json:"reason"`
	At       time.Time     `json:"at"`
	Age      time.Duration `json:"age"` // nanoseconds
	Messages int64         `json:"messages"`
}

// LinkState is one AMQP connection that is up.
type LinkState struct {
	Since    time.Time `json:"since"`
	Channels int       `json:"channels"` // given out
	Opening  int       `json:"opening"`  // of them, not yet consuming
}

// EndStream ends a stream by hand. Its reader is told ServerShutdown: another
// stream may be opened at once. It fails where there is no such stream.
func (s *System) EndStream(id string) error { return s.ask(endStream{stream: id}) }

// streams gives the state of every open stream.
func (t *tree) streams(now time.Time) []StreamState {
	out := []StreamState{}
	t.mu.Lock()
	for _, n := range t.nodes {
		if n.stream != nil {
			state := n.stream.state(now)
			state.State = *n.state.Load()
			out = append(out, state)
		}
	}
	t.mu.Unlock()
	slices.SortFunc(out, func(a, b StreamState) int { return int(b.Age - a.Age) })
	return out
}

func (s *Stream) state(now time.Time) StreamState {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := StreamState{
		ID: s.id, Address: s.address, Bindings: s.bindings, Age: now.Sub(s.since),
		Messages: s.messages, Bytes: s.total, WaitingBytes: s.bytes,
	}
	if s.waiting != nil {
		state.Waiting = len(*s.waiting)
	}
	return state
}

// recentEnds keeps the last streams that have ended.
type recentEnds struct {
	mu   sync.Mutex
	ends []StreamEnd // oldest first
}

// keptEnds is how many ends an operator can look back on.
const keptEnds = 100

func (r *recentEnds) add(s *Stream) {
	now := time.Now()
	state, why := s.state(now), s.Ended()
	if why == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ends) == keptEnds {
		r.ends = slices.Delete(r.ends, 0, keptEnds/2) // half at a time, so that most cost nothing
	}
	r.ends = append(r.ends, StreamEnd{
		ID: s.id, Address: s.address, Code: why.Code, Reason: why.Reason, At: now, Age: state.Age, Messages: state.Messages,
	})
}

func (r *recentEnds) list() []StreamEnd {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := append([]StreamEnd{}, r.ends...)
	slices.Reverse(out)
	return out
}

// linkStates gives what the broker actor published last.
func (s *System) linkStates() []LinkState {
	if links := s.links.Load(); links != nil {
		return *links
	}
	return []LinkState{}
}

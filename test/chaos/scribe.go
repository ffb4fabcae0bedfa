package chaos

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/test/chaos/history"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// scribe writes what scripts do into a history, and keeps how each ended. It is a
// script.Observer.
type scribe struct {
	history *history.Recorder

	mu       sync.Mutex
	streams  int
	harms    int
	outcomes map[string]outcome
}

type outcome struct {
	harms []Harm
	cause error
}

func newScribe(h *history.Recorder) *scribe {
	return &scribe{history: h, outcomes: map[string]outcome{}}
}

// Command has been run.
func (s *scribe) Command(name, line string, begun time.Time, took time.Duration, err error) {
	record := history.Command{Script: name, Line: line, Took: took.Seconds()}
	if err != nil {
		record.Error = err.Error()
	}
	s.history.AddAt(begun, record)
}

// Published is a numbered message.
func (s *scribe) Published(_ string, number int, begun time.Time, took time.Duration, err error) {
	record := history.Publish{N: number, Took: took.Seconds(), Confirmed: err == nil}
	if err != nil {
		record.Error = err.Error()
	}
	s.history.AddAt(begun, record)
}

// Left is a stream with all that it received.
func (s *scribe) Left(_, name string, stream *clients.Stream) {
	s.mu.Lock()
	s.streams++
	number := s.streams
	s.mu.Unlock()
	at := func(e clients.Event) time.Time { return stream.Opened().Add(e.At) }
	s.history.AddAt(stream.Opened(), history.Open{Name: name, Client: number, Stream: number, Status: stream.Status})
	if stream.Status != http.StatusOK {
		return
	}
	received := stream.Received()
	for _, e := range received.Events {
		switch e.Name {
		case "ready":
			s.history.AddAt(at(e), history.Ready{Stream: number})
		case "message":
			s.message(number, at(e), e.Data)
		case "error":
			var told history.Error
			_ = json.Unmarshal([]byte(e.Data), &told) // one that is none has no code, which tells enough
			told.Stream = number
			s.history.AddAt(at(e), told)
		}
	}
	end := history.End{Stream: number, How: "left"}
	switch err := received.Check(); {
	case err != nil:
		end.Odd = err.Error()
	case received.Err != nil:
		end.How, end.Error = "broken", received.Err.Error()
	case received.Ended:
		end.How = "order"
	}
	s.history.Add(end)
}

func (s *scribe) message(stream int, at time.Time, data string) {
	var m struct {
		Payload     struct{ N int }
		Redelivered bool
	}
	if json.Unmarshal([]byte(data), &m) == nil && m.Payload.N > 0 {
		s.history.AddAt(at, history.Messages{Stream: stream, From: m.Payload.N, At: []int{0}, Redelivered: m.Redelivered})
	}
}

// Ended is the script's end.
func (s *scribe) Ended(name string, harms []script.Harm, cause error) {
	o := outcome{cause: cause}
	for _, h := range harms {
		s.mu.Lock()
		s.harms++
		number := s.harms
		s.mu.Unlock()
		s.history.AddAt(h.Asked, history.Asked{Harm: number, Name: h.Name, Scope: "all", Client: -1, Group: -1, Script: name})
		if h.Sign != "" {
			s.history.AddAt(h.Seen, history.Seen{Harm: number, Sign: h.Sign})
		} else {
			s.history.Add(history.Undone{Harm: number, Reason: h.Reason})
		}
		o.harms = append(o.harms, Harm{Name: h.Name, Sign: h.Sign})
	}
	s.mu.Lock()
	s.outcomes[name] = o
	s.mu.Unlock()
}

// outcome returns how a script has ended; ended is false where it never began.
func (s *scribe) outcome(name string) (harms []Harm, ended bool, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ended := s.outcomes[name]
	return o.harms, ended, o.cause
}

// close writes the script's verdict.
func (s *scribe) close(r Result) {
	s.history.Add(history.Script{Script: r.Script, Claim: r.Claim, Verdict: r.Verdict, Reason: r.Reason, Evidence: r.Evidence, Took: r.Seconds})
}

var _ script.Observer = (*scribe)(nil)

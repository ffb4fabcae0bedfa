package random

import (
	"io"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/http/sse"
)

// A client that was served after a harm has healed, though it is looked at late, when another harm has
// ended its stream again: on a busy machine the run looks when it can.
func TestALateLookFindsWhoHasBeenServedMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		kind   Harm
		comes  []string // events after the harm
		healed bool
	}{
		"it was served by a new stream":       {Harm{Name: "end stream", Scope: OneStream}, []string{"ping", "ready", "message"}, true},
		"a new stream was ready, and no more": {Harm{Name: "end stream", Scope: OneStream}, []string{"ping", "ready"}, false},
		"it got a message":                    {Harm{Name: "link-cut", Scope: Everyone}, []string{"ping", "ready", "message"}, true},
		"it got none":                         {Harm{Name: "link-cut", Scope: Everyone}, []string{"ping"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{Log: io.Discard, Patience: time.Minute}
			run := &conductor{options: o, book: newBook(o), ledger: &ledger{}, local: true}
			client := &reader{run: run}
			run.readers = []*reader{client}
			run.ledger.next(time.Now())
			harm := &life{kind: c.kind, asked: time.Now(), seen: time.Now()}
			harm.waiting = run.within(harm)
			run.harms.count = map[string]*HarmCount{c.kind.Name: {}}
			s := run.newStream(client)
			for _, event := range c.comes {
				data := "{}"
				if event == "message" {
					data = `{"payload":{"n":1},"redelivered":false}`
				}
				s.event(sse.Event{Name: event, Data: data}, time.Now())
			}
			s.event(sse.Event{Name: "error", Data: `{"code":"BrokerLost","retryable":true}`}, time.Now())
			s.ended(t.Context(), io.EOF, true)
			if run.lookHealed(t.Context(), harm); harm.healed.IsZero() == c.healed {
				t.Errorf("healed: %t", !harm.healed.IsZero())
			}
		})
	}
}

package faults

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// A1 to A5: bad bindings get 200, one readable error and the end; the browser
// that comes back gets 204; the broker never hears of any of it.
func TestA1ToA5BadBindingsAreToldAndNothingIsDeclared(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	before := r.opened()
	for fault, c := range map[string]struct{ query, reason string }{
		"A1 no JSON":          {"bindings=" + url.QueryEscape("{bindings"), "JSON"},
		"A2 absent":           {"", "missing"},
		"A2 empty":            {"bindings=", "empty"},
		"A3 a second key":     {bindings(`{"bindings":[{"exchange":"e","routingKeyPattern":"#"}],"x":1}`), "only one key"},
		"A4 not an array":     {bindings(`{"bindings":{"exchange":"e","routingKeyPattern":"#"}}`), "must be an array"},
		"A4 an empty array":   {bindings(`{"bindings":[]}`), "100"},
		"A5 no exchange":      {bindings(`{"bindings":[{"routingKeyPattern":"#"}]}`), "fields"},
		"A5 no pattern":       {bindings(`{"bindings":[{"exchange":"e"}]}`), "fields"},
		"A5 a number":         {bindings(`{"bindings":[{"exchange":1,"routingKeyPattern":"#"}]}`), "exchange"},
		"A5 null":             {bindings(`{"bindings":[{"exchange":"e","routingKeyPattern":null}]}`), "routingKeyPattern"},
		"A5 an object":        {bindings(`{"bindings":[{"exchange":{},"routingKeyPattern":"#"}]}`), "exchange"},
		"A5 the second is it": {bindings(`{"bindings":[{"exchange":"e","routingKeyPattern":"#"},{"exchange":"e"}]}`), "1"},
	} {
		t.Run(fault, func(t *testing.T) {
			r := r.in(t)
			s := r.ask(c.query, clients.Options{})
			r.awaits(s, endsWith(actors.InvalidBindings))
			if f, _, _ := s.Received().Failure(); s.Status != 200 || !strings.Contains(f.Message, c.reason) {
				t.Errorf("status %d, and the reason %q does not contain %q", s.Status, f.Message, c.reason)
			}
			r.staysAway(c.query)
		})
	}
	if after := r.opened(); after != before {
		t.Errorf("%d channels were opened for nothing", after-before)
	}
	r.clean()
}

// staysAway: the browser that comes back is told so, without a body.
func (r *rig) staysAway(query string) {
	r.Helper()
	s := r.ask(query, clients.Options{Header: http.Header{"Last-Event-Id": {"-"}}})
	r.awaits(s, func(received clients.Received) error { return endsWith("")(received) })
	if s.Status != 204 || len(s.Received().Events) != 0 {
		r.Errorf("who comes back gets %d\n%s", s.Status, s.Received())
	}
}

// A6: an exchange that does not exist is named, in our words and not in the
// broker's; there is no ready, nothing stays, and the others lose nothing.
func TestA6UnknownExchangeIsNamedAndNothingStays(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	r.refused("exchange/tc/nowhere")
}

// A7: the same for an exchange that may not be read; nothing is tried again.
func TestA7ForbiddenExchangeIsNamedAndNothingStays(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	r.declare(script.SecretExchange)
	r.refused(script.SecretExchange)
}

func (r *rig) refused(exchangeRefused string) {
	r.Helper()
	others := r.crowd(3, exchange, "#")
	before := r.opened()
	const times = 30
	for range times {
		s := r.open(exchange, "#", exchangeRefused, "#")
		r.awaits(s, endsWith(actors.BindingRefused))
		f, _, _ := s.Received().Failure()
		if !strings.Contains(f.Message, exchangeRefused) || strings.Contains(f.Message, "NOT_FOUND") || strings.Contains(f.Message, "ACCESS") {
			r.Fatalf("the reason is %q", f.Message)
		}
		if s.Received().Ready() {
			r.Fatalf("a refused stream was ready\n%s", s.Received())
		}
	}
	// One channel for each, and one more where the queue has to be removed.
	if after := r.opened(); after-before > 2*times {
		r.Errorf("%d channels for %d refused streams: some were tried again", after-before, times)
	}
	r.publish(1, 10, 0)
	for _, s := range others {
		r.awaits(s, messages(10))
		s.Close()
	}
	r.clean()
}

// A8: a browser that comes back costs no AMQP frame.
func TestA8WhoComesBackIsToldToStayAwayWithoutTheBroker(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	before := r.opened()
	for range 50 {
		r.staysAway(script.Query(exchange, "#"))
		r.staysAway("bindings=nonsense&lastEventId=-")
	}
	if after := r.opened(); after != before {
		t.Errorf("%d channels were opened for browsers that had to stay away", after-before)
	}
	r.clean()
}

// A9: a bad request ends, really ends, while a hundred good streams go on.
func TestA9BadRequestsEndWhileGoodStreamsGoOn(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	good := r.crowd(100, exchange, "primary.#")
	for range 20 {
		r.awaits(r.ask("bindings=nonsense", clients.Options{}), endsWith(actors.InvalidBindings))
		r.awaits(r.open("exchange/tc/nowhere", "#"), endsWith(actors.BindingRefused))
	}
	r.publish(1, 20, 0)
	for _, s := range good {
		r.awaits(s, messages(20))
	}
	for _, s := range good {
		s.Close()
	}
	r.clean()
}

func bindings(json string) string { return "bindings=" + url.QueryEscape(json) }

// in is the rig for a subtest.
func (r *rig) in(t *testing.T) *rig {
	inner := *r
	inner.T = t
	return &inner
}

package actors

import (
	"fmt"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

func asks(bindings ...amqp.Binding) Request { return Request{Bindings: bindings} }

func TestARequestsBindingsAreChecked(t *testing.T) {
	ok := amqp.Binding{Exchange: "exchange/a", Pattern: "#"}
	for _, c := range []struct {
		name    string
		request Request
		code    Code
		reason  string // contains
	}{
		{"one binding", asks(ok), "", ""},
		{"an empty pattern", asks(amqp.Binding{Exchange: "exchange/a"}), "", ""},
		{"the longest names", asks(amqp.Binding{Exchange: strings.Repeat("e", 255), Pattern: strings.Repeat("é", 127)}), "", ""},
		{"none", asks(), InvalidBindings, "at least one and at most 3"},
		{"an empty exchange", asks(ok, amqp.Binding{Pattern: "#"}), InvalidBindings, "Binding 1: exchange is empty"},
		{"an exchange that is too long", asks(amqp.Binding{Exchange: strings.Repeat("e", 256)}), InvalidBindings, "Binding 0: exchange is 256 bytes long"},
		{"a pattern that is too long in bytes", asks(ok, ok, amqp.Binding{Exchange: "e", Pattern: strings.Repeat("é", 128)}), InvalidBindings, "Binding 2: routingKeyPattern is 256 bytes long"},
		{"an exchange that is not UTF-8", asks(amqp.Binding{Exchange: "\xff"}), InvalidBindings, "exchange is not UTF-8"},
		{"a pattern with a line break", asks(amqp.Binding{Exchange: "e", Pattern: "a\nb"}), InvalidBindings, "routingKeyPattern holds a control character"},
		{"a pattern with NUL", asks(amqp.Binding{Exchange: "e", Pattern: "\x00"}), InvalidBindings, "control character"},
		{"too many", asks(ok, amqp.Binding{Exchange: "b"}, amqp.Binding{Exchange: "c"}, amqp.Binding{Exchange: "d"}), InvalidBindings, "4 distinct bindings, at most 3"},
		{"a pattern that costs the broker much", asks(ok, amqp.Binding{Exchange: "e", Pattern: "#.a.#.b.#"}), InvalidBindings, "Binding 1: routingKeyPattern has 3 words #, at most 2"},
		{"wildcards that mean one", asks(amqp.Binding{Exchange: "e", Pattern: "#.#.*.#.#"}), "", ""},
		{"many that mean the same", asks(amqp.Binding{Exchange: "e", Pattern: "#"}, amqp.Binding{Exchange: "e", Pattern: "#.#"}, ok, amqp.Binding{Exchange: "e", Pattern: "#.#.#"}, amqp.Binding{Exchange: "d", Pattern: "#"}), "", ""},
		{"many that are equal", asks(ok, ok, ok, ok, ok), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Limits: Limits{Bindings: 3}}
			_, err := o.check(c.request)
			if code(err) != c.code || (err != nil && !strings.Contains(err.Reason, c.reason)) {
				t.Fatalf("have %v, want %s: …%s…", err, c.code, c.reason)
			}
		})
	}
}

func TestEqualBindingsCountOnceInTheirOrder(t *testing.T) {
	a, b := amqp.Binding{Exchange: "a"}, amqp.Binding{Exchange: "b"}
	bindings, err := Options{Limits: Limits{Bindings: 2}}.check(asks(b, a, b, a))
	if err != nil || fmt.Sprint(bindings) != fmt.Sprint([]amqp.Binding{b, a}) {
		t.Fatalf("%v, %v", bindings, err)
	}
}

func TestTheAllowListDecidesOnExchanges(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		exchange string
		allowed  bool
	}{
		{nil, "anything", true},
		{[]string{"exchange/a"}, "exchange/a", true},
		{[]string{"exchange/a"}, "exchange/ab", false},
		{[]string{"exchange/*"}, "exchange/a", true},
		{[]string{"exchange/*"}, "exchange/a/b", false}, // a star stops at a slash
		{[]string{"exchange/*/v1/*"}, "exchange/queue/v1/done", true},
		{[]string{"x", "exchange/[ab]"}, "exchange/b", true},
		{[]string{"exchange/[ab]"}, "exchange/c", false},
		{nil, "amq.topic", true},
		{nil, "amq.rabbitmq.trace", false}, // what the broker says about everybody must be named
		{[]string{"*"}, "amq.rabbitmq.log", false},
		{[]string{"*", "amq.rabbitmq.log"}, "amq.rabbitmq.log", true},
		{[]string{"amq.rabbitmq.*"}, "amq.rabbitmq.event", true},
	} {
		o := Options{AllowExchanges: c.patterns, Limits: Limits{Bindings: 9}}
		_, err := o.check(asks(amqp.Binding{Exchange: c.exchange}))
		if allowed := err == nil; allowed != c.allowed || (err != nil && err.Code != ExchangeForbidden) {
			t.Errorf("%q under %q: %v", c.exchange, c.patterns, err)
		}
	}
}

// One forbidden exchange among allowed ones forbids the request, and is named.
func TestAForbiddenExchangeIsNamed(t *testing.T) {
	o := Options{AllowExchanges: []string{"a"}, Limits: Limits{Bindings: 9}}
	_, err := o.check(asks(amqp.Binding{Exchange: "a"}, amqp.Binding{Exchange: "secret"}))
	if code(err) != ExchangeForbidden || !strings.Contains(err.Reason, `"secret"`) {
		t.Fatal(err)
	}
}

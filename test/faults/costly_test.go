package faults

import (
	"fmt"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/script"
)

// A21: a pattern that would keep the broker busy for every publisher of the exchange is refused,
// and wildcards that mean the same as one reach the broker as one: messages go on as before.
func TestA21APatternOfManyHashesCostsNobodyElse(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	honest := r.ready(exchange, "#")
	refused := r.open(exchange, strings.Repeat("#.a.", 11)+"#")
	r.awaits(refused, endsWith(actors.InvalidBindings))
	if f, _, _ := refused.Received().Failure(); !strings.Contains(f.Message, "bindings[0]") || !strings.Contains(f.Message, "#") {
		t.Errorf("the reason is %q", f.Message)
	}
	equal := r.ready(exchange, strings.Repeat("#.*.", 5)+"#.#")

	publisher := r.publisher()
	for n := range 24 {
		ctx, cancel := r.bounded()
		err := script.Taken(publisher.Publish(ctx, exchange, "a.b.c.d.e.f.g.h.i.j", amqp.Message{Body: fmt.Appendf(nil, `{"n":%d}`, n)}))
		cancel()
		if err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
	}
	publisher.Close()
	r.awaits(honest, messages(24))
	r.awaits(equal, messages(24))
	honest.Close()
	equal.Close()
	r.clean()
}

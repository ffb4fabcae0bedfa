package faults

import (
	"fmt"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// A listed exchange that gets messages of another one cannot be routed by the proxy: it would look
// for streams of the wrong exchange. The first such message is an ERROR and counted, the streams
// are told, and a further stream of the exchange misses nothing, through a queue of its own. Streams
// that are not routed do not notice.
func TestAnExchangeThatIsListedWronglyIsServedByOwnQueues(t *testing.T) {
	const listed, other, source = "exchange/routed/a", "exchange/routed/b", "exchange/source"
	for name, feed := range map[string]func(*rig) error{
		"another exchange is bound to it": func(r *rig) error {
			return r.node.BindExchange(r.Context(), r.vhost, source, "#", listed)
		},
		"it is an alternate exchange": func(r *rig) error {
			return r.node.SetAlternate(r.Context(), r.vhost, source, listed)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := onRabbitMQ(t, settings{routed: []string{"exchange/routed/*"}})
			for _, exchange := range []string{listed, other, source} {
				r.declare(exchange)
			}
			own := r.ready(exchange, "#")
			streams := []*clients.Stream{r.ready(listed, "#"), r.ready(listed, "a.*", other, "#"), r.ready(other, "#")}
			r.eventually("routed streams share a queue", func() error { return r.queues(2) })
			r.to(listed, 1)
			r.awaits(streams[0], messages(1))
			r.awaits(streams[1], messages(1))

			r.do(feed(r))
			r.to(source, 2)
			for _, s := range streams {
				r.awaits(s, endsWith(actors.InternalError))
				if f, _, _ := s.Received().Failure(); !*f.Retryable {
					t.Error("the client would not come back")
				}
			}
			if n, logged := r.proxy.System.Stats().Misrouted, r.log.count("level=ERROR"); n != 1 || logged != 1 {
				t.Errorf("counted %d times, logged %d times", n, logged)
			}

			again := []*clients.Stream{r.ready(listed, "#"), r.ready(listed, "a.*", other, "#")}
			r.eventually("each has a queue", func() error { return r.queues(3) })
			r.to(source, 3)
			r.to(listed, 4)
			for _, s := range again {
				r.awaits(s, messages(2))
				s.Close()
			}
			r.undisturbed([]*clients.Stream{own})
			own.Close()
			r.delete(source) // and with it its binding
			r.clean()
		})
	}
}

// to publishes a numbered message to an exchange.
func (r *rig) to(exchange string, n int) {
	r.Helper()
	publisher := r.publisher()
	defer publisher.Close()
	ctx, cancel := r.bounded()
	defer cancel()
	r.do(script.Taken(publisher.Publish(ctx, exchange, "a.x", amqp.Message{Body: fmt.Appendf(nil, `{"n":%d}`, n)})))
}

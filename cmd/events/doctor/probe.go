package doctor

import (
	"context"
	"crypto/rand"
	"path"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// probe is an exchange of the doctor's own, in the namespace of the settings, where Pulse's users
// may make exchanges.
type probe struct {
	exchange  string
	publisher amqp.Publisher
	err       error // why there is none
}

// makeProbe makes the probe where the broker has let us in, and the service may give its messages.
func (v *visit) makeProbe(ctx context.Context) {
	if v.link == nil {
		return
	}
	exchange := "exchange/" + v.options.Config.Pulse.Namespace + "/doctor-" + rand.Text()
	if !v.allowed(exchange) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, v.options.Patience)
	defer cancel()
	p := &probe{exchange: exchange}
	v.probe = p
	if p.publisher, p.err = v.options.Broker.Publisher(ctx); p.err == nil {
		p.err = p.publisher.Declare(ctx, p.exchange, "topic")
	}
}

// allowed reports whether the settings' list of exchanges has this one.
func (v *visit) allowed(exchange string) bool {
	list := v.options.Config.Server.Exchanges
	for _, pattern := range list {
		if ok, _ := path.Match(pattern, exchange); ok {
			return true
		}
	}
	return len(list) == 0
}

// unusable returns why there is no probe; "" if there is one.
func (p *probe) unusable() string {
	switch {
	case p == nil:
		return "needs the broker: run this with its settings, and a list of exchanges that has exchange/<namespace>/*"
	case p.err != nil:
		return "this user may not make an exchange of its own to publish a probe: " + plain(p.err)
	}
	return ""
}

func (p *probe) publish(ctx context.Context) error {
	return p.publisher.Publish(ctx, p.exchange, "doctor", amqp.Message{ContentType: "application/json", Body: []byte(`{"probe":true}`)})
}

func (p *probe) close() {
	if p.publisher == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.publisher.Delete(ctx, p.exchange) // it is not durable, and nothing is bound to it
	_ = p.publisher.Close()
}

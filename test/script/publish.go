package script

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// publish puts COUNT messages (1 if not told) into an exchange, and returns
// when the broker has routed them all.
//
//	publish exchange/tc/task primary.x 300         {"n":1} … {"n":300}
//	publish exchange/tc/task primary.x -body hello
//	publish exchange/tc/task primary.x -file body.json
//	publish exchange/tc/task primary.x -base64 /wA=
//	publish exchange/tc/task primary.x -cc route.a,route.b
//	publish exchange/tc/task primary.x -size 4096 300
//	publish exchange/tc/task primary.x -wide     its headers are wider than a frame
//
// Numbers go on from one publish of a script to the next: expect sees a loss of
// order or a second copy by them.
func publish(w *world, ts *testscript.TestScript, args []string) error {
	p, err := parsePublish(ts, args)
	if err != nil {
		return err
	}
	ctx, cancel := w.bounded()
	defer cancel()
	publisher, err := w.publishing(ctx)
	if err != nil {
		return err
	}
	for range p.count {
		if err := w.publishOne(ctx, publisher, p); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) publishOne(ctx context.Context, publisher amqp.Publisher, p publishing) error {
	m := amqp.Message{Body: p.body, CC: p.cc}
	if p.numbered {
		w.published++
		m.Body = numbered(w.published, p.size)
	}
	begun := time.Now()
	err := w.send(ctx, publisher, p, m)
	if p.numbered {
		w.params.observe().Published(w.name, w.published, begun, time.Since(begun), err)
	}
	return Taken(err)
}

// wider is a broker that takes headers wider than a frame.
type wider interface {
	WideHeaders(exchange, key, body string) Fault
}

func (w *world) send(ctx context.Context, publisher amqp.Publisher, p publishing, m amqp.Message) error {
	if !p.wide {
		return publisher.Publish(ctx, p.exchange, p.key, m)
	}
	broker, ok := as[wider](w.broker)
	if !ok {
		return notHere("publish -wide needs the broker's management plugin, and the way from the broker")
	}
	return w.harm(ctx, "wide headers", broker.WideHeaders(p.exchange, p.key, string(m.Body)))
}

// Taken returns the error of a Publish, and nil for one that reports that a queue did not take the
// message: here that is a queue that is deleted meanwhile, because its client leaves, and the queues of
// all other clients have the message. RabbitMQ 4.3 reports it, 3 does not. Whether a client that
// stays has the message is checked where it arrives; in a history it is not confirmed.
func Taken(err error) error {
	if amqp.KindOf(err) == amqp.Nacked {
		return nil
	}
	return err
}

// numbered returns {"n":17}, or {"n":17,"pad":"xxx"} of size bytes.
func numbered(n, size int) []byte {
	body := fmt.Sprintf(`{"n":%d}`, n)
	if room := size - len(body) - len(`,"pad":""`); room > 0 {
		body = fmt.Sprintf(`{"n":%d,"pad":"%s"}`, n, strings.Repeat("x", room))
	}
	return []byte(body)
}

// publishing is a publish line, parsed.
type publishing struct {
	exchange, key string
	count, size   int
	numbered      bool
	wide          bool
	body          []byte
	cc            []string
}

func parsePublish(ts *testscript.TestScript, args []string) (p publishing, err error) {
	if len(args) < 2 {
		return p, fmt.Errorf("usage: publish EXCHANGE KEY [flags] [COUNT]")
	}
	p.exchange, p.key, p.count, p.numbered = args[0], args[1], 1, true
	set := flags("publish")
	set.IntVar(&p.size, "size", 0, "")
	set.BoolVar(&p.wide, "wide", false, "")
	set.Func("body", "", func(text string) error {
		p.numbered, p.body = false, []byte(text)
		return nil
	})
	set.Func("file", "", func(name string) error {
		p.numbered, p.body = false, []byte(ts.ReadFile(name))
		return nil
	})
	set.Func("base64", "", func(text string) (err error) {
		p.numbered = false
		p.body, err = base64.StdEncoding.DecodeString(text)
		return err
	})
	set.Func("cc", "", func(keys string) error {
		p.cc = append(p.cc, strings.Split(keys, ",")...)
		return nil
	})
	if err := set.Parse(args[2:]); err != nil {
		return p, err
	}
	if set.NArg() > 0 {
		p.count, err = strconv.Atoi(set.Arg(0))
	}
	return p, err
}

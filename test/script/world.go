package script

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/clients"
)

// world is what one script acts upon: a broker, a proxy, clients. Only the
// script's own goroutine touches it.
type world struct {
	params   Params
	name     string
	broker   Broker
	settings Settings

	proxy     Proxy           // nil until first needed
	before    actors.Snapshot // of the proxy when it was first needed: what a script counts is what came since
	gate      *faults.Gate    // on the way from the clients; nil before the first fault there
	publisher amqp.Publisher  // nil until first needed, and after a fault
	published int             // the number in the last numbered body

	streams map[string]*stream
	names   []string        // of the streams, in order of their opening
	known   map[string]bool // ids of the proxy's streams, as far as noted

	answer string // to the last get
	judged int    // claims of the script's own that were tried and held

	begun   time.Time
	harms   []*awaited
	harmed  bool  // something was harmed, awaited or not
	failure error // of the command that ended the script
}

// stream is a client and what the script has already read of it.
type stream struct {
	*clients.Stream
	id   string // the proxy's; "" where it was not learnt
	seen int    // messages that expect payload has gone over
}

func newWorld(p Params, name string, broker Broker) *world {
	return &world{params: p, name: name, broker: broker, settings: p.Settings, streams: map[string]*stream{}, known: map[string]bool{}, begun: time.Now()}
}

// of returns the world of the script that runs a command.
func of(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// bounded is the context of one wait.
func (w *world) bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(context.Background(), w.params.Patience,
		fmt.Errorf("it did not happen within %v", w.params.Patience))
}

// unhurried is the context of what takes a real broker seconds: to start, to be
// asked what it holds.
func (w *world) unhurried() (context.Context, context.CancelFunc) {
	patience := 3 * w.params.Patience
	return context.WithTimeoutCause(context.Background(), patience,
		fmt.Errorf("it did not happen within %v", patience))
}

// running returns the proxy, and starts it the first time. Unless something was harmed before, the
// proxy is linked to its broker then: on a busy machine that takes longer than newcomers wait.
func (w *world) running() (Proxy, error) {
	if w.proxy != nil {
		return w.proxy, nil
	}
	proxy, err := w.params.Proxy(w.broker, w.settings)
	if err != nil {
		return nil, fmt.Errorf("start the proxy: %w", err)
	}
	w.proxy = proxy
	ctx, cancel := w.bounded()
	defer cancel()
	err = eventually(ctx, func() (err error) {
		if w.before, err = proxy.Snapshot(ctx); err != nil {
			return err
		}
		if !w.harmed && len(w.before.Links) == 0 {
			return errors.New("it has no link to its broker")
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the proxy's live tree: %w", err)
	}
	return proxy, nil
}

// named returns the streams whose name matches a pattern.
func (w *world) named(pattern string) (found []*stream, err error) {
	for _, name := range w.names {
		ok, err := path.Match(pattern, name)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, w.streams[name])
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no stream is called %s; there are %s", pattern, strings.Join(w.names, ", "))
	}
	return found, nil
}

// publishing returns the publisher, and opens one when there is none.
func (w *world) publishing(ctx context.Context) (amqp.Publisher, error) {
	if w.publisher != nil {
		return w.publisher, nil
	}
	publisher, err := w.broker.Publisher(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a publisher: %w", err)
	}
	w.publisher = publisher
	return publisher, nil
}

// stopPublishing forgets the publisher, before a fault breaks it.
func (w *world) stopPublishing() {
	if w.publisher != nil {
		w.publisher.Close()
		w.publisher = nil
	}
}

func (w *world) declare(ctx context.Context, exchange, kind string) error {
	publisher, err := w.publishing(ctx)
	if err != nil {
		return err
	}
	return publisher.Declare(ctx, exchange, kind)
}

// eventually asks again and again until the answer is nil, and returns the last
// one when ctx ends; that a question was cut off by that is no answer. It is for
// states that are not announced.
func eventually(ctx context.Context, ask func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", last, context.Cause(ctx))
		}
	}
}

// signPatience is how long signs of harm are looked for when the script is over.
const signPatience = 5 * time.Second

// finish ends the world, and the script's claim with it: a harm that was never seen
// makes it worth nothing, and so does a script in which nothing of its own was judged.
func (w *world) finish() error {
	if w.failure == nil && len(w.harms) > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), signPatience)
		defer cancel()
		_ = eventually(ctx, func() error { w.lookAround(); return unseenError(w.unseen()) })
	}
	for _, name := range w.names {
		w.params.observe().Left(w.name, name, w.streams[name].Stream)
	}
	err := w.close()
	if w.failure == nil && err == nil {
		err = errors.Join(unseenError(w.unseen()), w.unjudged())
	}
	if w.failure == nil {
		w.failure = err
	}
	harms := make([]Harm, len(w.harms))
	for i, h := range w.harms {
		harms[i] = h.Harm
	}
	w.params.observe().Ended(w.name, harms, w.failure)
	return err
}

// ErrUnseen is wrapped by the failure of a script whose claims all held, though a
// harm that it asked for was never seen: they prove nothing.
var ErrUnseen = errors.New("asked for and never seen")

func unseenError(names []string) error {
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrUnseen, strings.Join(names, "; "))
}

// close ends everything: the clients first, as a browser's tabs would. Its
// error is a defect, of the proxy or of the broker that it leaves behind.
func (w *world) close() error {
	for _, s := range w.streams {
		s.Close()
	}
	if w.gate != nil {
		w.gate.Close()
	}
	var proxy error
	if w.proxy != nil {
		proxy = w.proxy.Close()
	}
	w.stopPublishing()
	return errors.Join(proxy, w.broker.Close())
}

// transcribed is how many streams a transcript shows: a crowd is all alike.
const transcribed = 10

// transcript shows what the streams received.
func (w *world) transcript() string {
	var out strings.Builder
	for i, name := range w.names {
		if i == transcribed {
			fmt.Fprintf(&out, "… and %d streams more\n", len(w.names)-i)
			break
		}
		s := w.streams[name]
		fmt.Fprintf(&out, "%s: %d\n%s", name, s.Status, s.Received())
	}
	return out.String()
}

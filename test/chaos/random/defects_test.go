package random_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/chaos/check"
	"github.com/taskcluster/events-proxy/test/chaos/random"
)

// A run finds what a proxy does wrong, names the promise that is broken, and says where. The
// defects are planted around the proxy: between it and its broker, its clients or its operator.
func TestADefectIsFoundAndNamed(t *testing.T) {
	for name, c := range map[string]struct {
		quick
		invariant, says string
	}{
		"a channel is not closed":      {quick{plant: channels(neverClosed), patience: 2 * time.Second}, "needed", "are held"},
		"a message is lost":            {quick{plant: channels(losing)}, "complete", "was lost before"},
		"the last binding is left out": {quick{plant: channels(halfBound), patience: 2 * time.Second}, "served", "got no message"},
		"an end is not told":           {quick{wrap: without("error")}, "one-code", "ended with"},
		"the first ping is missing":    {quick{wrap: without("ping")}, "ready-first", "the first event is ready"},
		"a hostile binding is let in":  {quick{wrap: lettingIn}, "refusal", "told ready, not InvalidBindings"},
		"nothing is acknowledged":      {quick{holds: 3, patience: 2 * time.Second}, "acknowledged", "the broker holds 3 messages"},
		"the process crashes":          {quick{end: errors.New("exit status 2")}, "orderly-end", "exit status 2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.chaos = true
			report, judgement := quickRun(t, c.quick)
			if report.Verdict != random.Fail || !strings.Contains(fmt.Sprint(report.Violations), c.invariant+": ") {
				report.Print(t.Output())
				t.Errorf("%s: %q", report.Verdict, report.Violations)
			}
			found := slices.ContainsFunc(judgement.Violations, func(v check.Violation) bool {
				return v.Invariant == c.invariant && strings.Contains(v.Says, c.says) && v.T > 0
			})
			if judgement.Verdict != check.Fail || !found || len(judgement.Disagrees) > 0 {
				t.Errorf("the judge: %+v", judgement)
			}
		})
	}
}

// channels puts a defect into every channel that the proxy opens.
func channels(defect func(port) amqp.Channel) func(amqp.Dialer) amqp.Dialer {
	return func(d amqp.Dialer) amqp.Dialer { return planted{d, defect} }
}

type planted struct {
	amqp.Dialer
	defect func(port) amqp.Channel
}

func (d planted) Dial(ctx context.Context) (amqp.Link, error) {
	link, err := d.Dialer.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return plantedLink{link, d.defect}, nil
}

type plantedLink struct {
	amqp.Link
	defect func(port) amqp.Channel
}

func (l plantedLink) Channel() (amqp.Channel, error) {
	channel, err := l.Link.Channel()
	if err != nil {
		return nil, err
	}
	return l.defect(channel.(port)), nil
}

// port is what channels can do on either broker.
type port interface {
	amqp.Channel
	amqp.Prefetcher
}

type neverClosing struct{ port }

func (neverClosing) Close() error { return nil }

func neverClosed(c port) amqp.Channel { return neverClosing{c} }

type forgetting struct {
	port
	had int
}

// Next forgets every fiftieth delivery.
func (c *forgetting) Next(wake <-chan struct{}) (*amqp.Delivery, error) {
	delivery, err := c.port.Next(wake)
	if delivery != nil {
		c.had++
	}
	if c.had%50 == 49 {
		return nil, err
	}
	return delivery, err
}

func losing(c port) amqp.Channel { return &forgetting{port: c} }

type halfBinding struct {
	port
	bound int
}

// Bind leaves out all but the first.
func (c *halfBinding) Bind(queue string, binding amqp.Binding) error {
	if c.bound++; c.bound > 1 {
		return nil
	}
	return c.port.Bind(queue, binding)
}

func halfBound(c port) amqp.Channel { return &halfBinding{port: c} }

// without leaves the events of a name out of every stream.
func without(name string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(&filter{w, []byte("event: " + name + "\n")}, r)
		})
	}
}

// filter takes frames out of what is written.
type filter struct {
	http.ResponseWriter
	unwanted []byte
}

func (f *filter) Unwrap() http.ResponseWriter { return f.ResponseWriter }

func (f *filter) Write(p []byte) (int, error) {
	for frame := range bytes.SplitAfterSeq(p, []byte("\n\n")) {
		if bytes.HasPrefix(frame, f.unwanted) {
			continue
		}
		if _, err := f.ResponseWriter.Write(frame); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// lettingIn opens a stream where one should be refused.
func lettingIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Count(r.URL.Query().Get("bindings"), "#") > 3 {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "event: ping\ndata: {}\n\nevent: ready\ndata: {}\n\n")
			return
		}
		next.ServeHTTP(w, r)
	})
}

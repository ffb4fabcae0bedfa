package random_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/proxytest"
	"github.com/taskcluster/events-proxy/test/chaos/check"
	"github.com/taskcluster/events-proxy/test/chaos/history"
	"github.com/taskcluster/events-proxy/test/chaos/random"
)

// Harm that nothing came of is not claimed: a proxy that says yes to every crash and
// does nothing makes no run pass, and neither does one that was not asked to allow
// them.
func TestWhatIsNotHarmedProvesNothing(t *testing.T) {
	for name, deed := range map[string]struct {
		tame  func(http.Handler) http.Handler
		chaos bool
		says  string
	}{
		"crashes do nothing":      {ignoring("/__chaos__/crash"), true, "crash worker: asked"},
		"ends do nothing":         {ignoring("/__tree__/end"), true, "end stream: asked"},
		"crashes are not allowed": {ignoring("nothing"), false, "fault injection is not enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			report, judgement := quickRun(t, quick{tame: deed.tame, chaos: deed.chaos})
			if report.Verdict != random.Unknown || !strings.Contains(fmt.Sprint(report.Unknown), deed.says) {
				report.Print(t.Output())
				t.Errorf("%s: %q", report.Verdict, report.Unknown)
			}
			if judgement.Verdict != check.Unknown || len(judgement.Disagrees) > 0 {
				t.Errorf("the judge: %+v", judgement)
			}
			for _, h := range report.Harms {
				if strings.Contains(deed.says, h.Name) && h.Seen > 0 {
					t.Errorf("%s was seen %d times", h.Name, h.Seen)
				}
			}
		})
	}
}

// A run in which everything is done and seen is a pass, on the in-memory broker too.
func TestWhatIsHarmedAndHealsIsProved(t *testing.T) {
	report, judgement := quickRun(t, quick{chaos: true})
	if report.Print(t.Output()); !report.Passed() || judgement.Verdict != check.Pass {
		t.Errorf("%s, %s", report.Verdict, judgement.Verdict)
	}
	for role, decision := range map[string]string{"broker": "restarted", "connections": "restarted"} {
		if report.Reached.Restarts[role+" "+decision] == 0 {
			t.Errorf("%s %s was not reached: %v", role, decision, report.Reached.Restarts)
		}
	}
}

// Of a broker that cannot be asked any more nothing is known: no pass, and no failure either.
func TestACensusThatFailsProvesNothing(t *testing.T) {
	var asked atomic.Int32 // the watcher and the last look ask at once
	report, judgement := quickRun(t, quick{chaos: true, census: func() error {
		if asked.Add(1) > 1 {
			return errors.New("no answer of the broker")
		}
		return nil
	}})
	for _, verdict := range []string{report.Verdict, judgement.Verdict} {
		if verdict != random.Unknown {
			t.Errorf("%s, %q", verdict, report.Violations)
		}
	}
	for _, why := range [][]string{report.Unknown, judgement.Unknown} {
		if !slices.Equal(why, []string{"broker-clean: the last census failed: no answer of the broker"}) {
			t.Errorf("unknown: %q", why)
		}
	}
	if len(judgement.Disagrees) > 0 {
		t.Errorf("the judge: %q", judgement.Disagrees)
	}
}

// quick is a run of two seconds, against a proxy in this process.
type quick struct {
	chaos bool
	tame  func(http.Handler) http.Handler // around the operators' listener
	wrap  func(http.Handler) http.Handler // around the proxy
	plant func(amqp.Dialer) amqp.Dialer   // between the proxy and its broker
	end   error                           // of the proxy
	holds int                             // messages at the broker when every client has all
	// census is called before each census and returns why that fails; nil: none fails.
	census func() error

	patience time.Duration // 0: quickPatience
}

func quickRun(t *testing.T, q quick) (*random.Report, check.Judgement) {
	t.Helper()
	broker := amqp.NewMemory()
	t.Cleanup(func() { broker.Close() })
	dialer := amqp.Dialer(broker)
	if q.plant != nil {
		dialer = q.plant(dialer)
	}
	p, err := proxytest.Start(proxytest.Options{
		Actors: actors.Options{Dialer: dialer, Chaos: q.chaos}, HTTP: httpapi.Options{Chaos: q.chaos, NoHijack: q.wrap != nil}, Wrap: q.wrap,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	handler := p.Handler.Operator()
	if q.tame != nil {
		handler = q.tame(handler)
	}
	operators := httptest.NewServer(handler)
	t.Cleanup(operators.Close)
	publisher := random.NewPublisher(broker, exchange)
	defer publisher.Close()
	if err := publisher.Declare(t.Context()); err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	recorder := history.New(&lines)
	report, err := random.Run(t.Context(), random.Options{
		Proxy: p.URL, Operator: operators.URL, Exchange: exchange, Publish: publisher.Publish, Clients: 6, For: 2 * time.Second,
		Seed: 1, Patience: cmp.Or(q.patience, quickPatience), SignPatience: time.Second, End: func() error { return q.end }, History: recorder, Log: t.Output(),
		Backlog: func(context.Context) (int, error) { return q.holds, nil },
		Census: func(context.Context) (random.Census, error) {
			var err error
			if q.census != nil {
				err = q.census()
			}
			return random.Census{Queues: len(broker.Queues()), Consumers: broker.Consumers(), Channels: broker.Channels(), Bindings: broker.Bindings(), Connections: broker.Links()}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return report, judged(t, recorder, &lines)
}

// quickPatience is long enough for a sound proxy on a busy machine.
const quickPatience = 10 * time.Second

func judged(t *testing.T, recorder *history.Recorder, lines *bytes.Buffer) check.Judgement {
	t.Helper()
	if err := recorder.Close(); err != nil {
		t.Fatal(err)
	}
	judgement, err := check.Judge(lines)
	if err != nil {
		t.Fatal(err)
	}
	return judgement
}

// ignoring answers a path with success and does nothing.
func ignoring(path string) func(http.Handler) http.Handler {
	return func(inner http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path {
				w.Write([]byte("{}"))
				return
			}
			inner.ServeHTTP(w, r)
		})
	}
}

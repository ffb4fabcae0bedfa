package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/taskcluster/events-proxy/actors"
)

// A host that has a registry gets our metrics in it: all of them, beside its own of the runtime, and
// of several handlers if it has them.
func TestAHostsRegistryTakesTheMetrics(t *testing.T) {
	p := start(t, nil)
	registry := prometheus.NewPedanticRegistry() // it checks each metric against its description
	registry.MustRegister(collectors.NewGoCollector())
	if err := registry.Register(p.handler.Collector()); err != nil {
		t.Fatal(err)
	}
	if err := registry.Register(p.handler.Collector()); err == nil {
		t.Error("the same metrics were registered twice")
	}
	several := prometheus.NewPedanticRegistry()
	for name, handler := range map[string]*Handler{"a": p.handler, "b": New(testSystem(t), Options{})} {
		if err := prometheus.WrapRegistererWith(prometheus.Labels{"proxy": name}, several).Register(handler.Collector()); err != nil {
			t.Error(err)
		}
	}
	p.connect()
	if _, err := several.Gather(); err != nil {
		t.Error(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, family := range families {
		have[family.GetName()] = true
	}
	for line := range strings.Lines(p.scrape()) {
		name, found := strings.CutPrefix(line, "# TYPE ")
		if name, _, _ = strings.Cut(name, " "); found && strings.HasPrefix(name, "events_") && !have[name] {
			t.Errorf("%s is not in the host's registry", name)
		}
	}
	if !have["events_link_channels"] || !have["events_streams"] {
		t.Errorf("the host has %v", have)
	}
}

// traced adds the trace of a line's context, as the slog handlers of tracing libraries do.
type traced struct{ slog.Handler }

type traceKey struct{}

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if id, ok := ctx.Value(traceKey{}).(string); ok {
		r.AddAttrs(slog.String("trace", id))
	}
	return h.Handler.Handle(ctx, r)
}

// sessionKey is where a host keeps its session.
type sessionKey struct{}

// A host finds every log line of a request by the trace that its middleware put into the context:
// those of the stream that outlives the request, and those of its actors, too.
func TestEveryLogLineOfAStreamCarriesItsRequestsContext(t *testing.T) {
	t.Parallel()
	session := context.WithValue(context.Background(), sessionKey{}, "a session has values of its own")
	for name, admit := range map[string]func(*http.Request, *actors.Request) (context.Context, error){
		"without Admit":  nil,
		"request's":      func(r *http.Request, _ *actors.Request) (context.Context, error) { return r.Context(), nil },
		"host's session": func(*http.Request, *actors.Request) (context.Context, error) { return session, nil },
	} {
		t.Run(name, func(t *testing.T) {
			book := &logbook{}
			eachProtocol(t, func(s *settings) {
				s.Logger = slog.New(traced{slog.NewTextHandler(book, &slog.HandlerOptions{Level: slog.LevelDebug})})
				s.actors.Logger, s.Admit = s.Logger, admit
				s.wrap = func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), traceKey{}, r.Header.Get("Trace"))))
					})
				}
			}, func(p *proxy, get func(string, ...string) *reader) {
				book.text.Reset()
				r := get(all, "Trace", "4bf92f35")
				r.want("ping")
				r.want("ready")
				stream := p.system.Snapshot().Streams[0].ID
				if err := p.system.Crash(actors.RoleWorker, stream); err != nil {
					p.t.Fatal(err)
				}
				r.wantError(actors.InternalError)
				p.gone()
				await(p.t, "the line of the end", func() bool { return len(book.lines("stream ended")) == 1 })
				for _, line := range book.lines(stream) {
					if !strings.Contains(line, "trace=4bf92f35") && !strings.Contains(line, "[ACTOR]") {
						p.t.Error(line)
					}
				}
				if n := len(book.lines("(stream opened|stream ended|actor failed).*trace=4bf92f35")); n != 3 {
					p.t.Errorf("%d lines of three:\n%s", n, book)
				}
			})
		})
	}
}

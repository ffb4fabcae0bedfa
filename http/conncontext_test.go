package httpapi

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

type markKey struct{}

// marked is a middleware that gives a request's context a value.
func marked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), markKey{}, r.URL.Path)))
	})
}

// Hooks and log lines find a request's values in a stream's context, those of a middleware too,
// for as long as the stream goes on.
func TestAStreamsContextHasTheValuesOfItsRequest(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{"plain": nil, "behind a middleware": marked} {
		t.Run(name, func(t *testing.T) {
			contexts := make(chan context.Context, 1) // one stream at a time
			eachProtocol(t, func(s *settings) {
				s.wrap = wrap
				s.actors.OnOpen = func(ctx context.Context, _ actors.StreamState) context.Context {
					contexts <- ctx
					return ctx
				}
			}, func(p *proxy, get func(string, ...string) *reader) {
				r := get(all)
				ctx := <-contexts
				r.want("ping")
				r.want("ready")
				if a, ok := ctx.Value(http.LocalAddrContextKey).(net.Addr); !ok || a.String() != p.address {
					p.t.Errorf("the address is %v", ctx.Value(http.LocalAddrContextKey))
				}
				if s, ok := ctx.Value(http.ServerContextKey).(*http.Server); !ok || s != p.http {
					p.t.Error("the server is not there")
				}
				if mark := ctx.Value(markKey{}); (mark != nil) != (wrap != nil) {
					p.t.Errorf("the middleware's value is %v", mark)
				}
				if ctx.Err() != nil {
					p.t.Error(ctx.Err())
				}
			})
		})
	}
}

// The memory of an idle stream: what stays of its request's context is the connection's.
func TestAnIdleStreamDoesNotKeepTheContextOfItsRequest(t *testing.T) {
	contexts := make(chan context.Context, 1)
	p := start(t, func(s *settings) {
		s.actors.OnOpen = func(ctx context.Context, _ actors.StreamState) context.Context {
			contexts <- ctx
			return ctx
		}
	})
	p.connect()
	if ctx, ok := (<-contexts).(*connContext); !ok {
		t.Errorf("it keeps %v", ctx)
	}
}

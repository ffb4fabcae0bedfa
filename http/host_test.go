package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// What a host's middleware does to a stream's request is told to its client.

// within is a middleware that allows each request some time, as most do it.
func within(d time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), d)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

func TestAHostsDeadlineEndsTheStreamWithAnErrorEvent(t *testing.T) {
	t.Parallel()
	const deadline = 500 * time.Millisecond
	for name, open := range map[string]func(*proxy) *reader{
		"hijacked": func(p *proxy) *reader { return p.read(p.do("GET", all).Body) },
		"HTTP/2":   func(p *proxy) *reader { return p.read(p.http2(p.t).get(all).Body) },
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, func(s *settings) { s.wrap = within(deadline) })
			open(p).wantError(actors.ServerShutdown)
			p.gone()
		})
	}
	t.Run("inside net/http", func(t *testing.T) {
		p := start(t, func(s *settings) { s.wrap, s.NoHijack = within(deadline), true })
		p.read(p.do("GET", all).Body).wantError(actors.ServerShutdown)
		p.gone()
	})
}

func TestAHostThatCancelsTheRequestEndsTheStreamWithAnErrorEvent(t *testing.T) {
	t.Parallel()
	for _, version := range []int{1, 2} {
		cancelled := make(chan struct{})
		p := start(t, func(s *settings) {
			s.NoHijack = true
			s.wrap = func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					ctx, cancel := context.WithCancel(r.Context())
					defer cancel()
					go func() { <-cancelled; cancel() }() // ends with the test
					next.ServeHTTP(w, r.WithContext(ctx))
				})
			}
		})
		var r *reader
		if version == 2 {
			r = p.http2(t).connect()
		} else {
			r = p.connect()
		}
		close(cancelled)
		r.wantError(actors.ServerShutdown)
		p.gone()
	}
}

// A client that leaves is no host that cancels: the figures tell them apart.
func TestAClientThatLeavesIsCountedAsGone(t *testing.T) {
	for _, version := range []int{1, 2} {
		p := start(t, func(s *settings) { s.NoHijack = true })
		var answer *http.Response
		if version == 2 {
			answer = p.http2(t).get(all)
		} else {
			answer = p.do("GET", all)
		}
		r := p.read(answer.Body)
		r.want("ping")
		r.want("ready")
		answer.Body.Close()
		p.gone()
		if ended := p.system.Stats().Ended; ended[actors.ClientGone] != 1 || len(ended) != 1 {
			t.Errorf("HTTP/%d: %v", version, ended)
		}
	}
}

// hijackPanics is a host's ResponseWriter with a defect.
type hijackPanics struct{ http.ResponseWriter }

func (hijackPanics) Hijack() { panic("planted") }

func (h hijackPanics) Unwrap() http.ResponseWriter { panic("planted") }

func TestAHostsWriterThatPanicsLeavesNoStreamOpen(t *testing.T) {
	p := start(t, nil)
	func() {
		defer func() { recover() }()
		p.handler.ServeHTTP(hijackPanics{newRecorder()}, httptest.NewRequest("GET", all, nil))
	}()
	p.gone()
}

package actors_test

import (
	"context"
	"sync"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

type spanKey struct{}

// hooked is what a host has heard of its streams.
type hooked struct {
	mu     sync.Mutex
	opened []actors.StreamState
	ended  []actors.StreamEnd
	spans  []any // of OnEnd's contexts
}

func (h *hooked) hear(o *actors.Options) {
	o.OnOpen = func(ctx context.Context, s actors.StreamState) context.Context {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.opened = append(h.opened, s)
		return context.WithValue(ctx, spanKey{}, s.ID+" of "+ctx.Value(spanKey{}).(string))
	}
	o.OnEnd = func(ctx context.Context, e actors.StreamEnd) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ended, h.spans = append(h.ended, e), append(h.spans, ctx.Value(spanKey{}))
	}
}

// A host opens a span for each stream and closes it with the stream's reason, however that ends.
func TestAHostHearsOfEachStreamOnceAtItsStartAndOnceAtItsEnd(t *testing.T) {
	for code, end := range map[actors.Code]func(f *fixture, s *actors.Stream){
		actors.ClientGone:     func(_ *fixture, s *actors.Stream) { s.Close() },
		actors.BrokerLost:     func(f *fixture, _ *actors.Stream) { f.broker.DropLinks() },
		actors.AccessRevoked:  func(f *fixture, _ *actors.Stream) { f.End(actors.BySubject("ada"), nil) },
		actors.InternalError:  func(f *fixture, _ *actors.Stream) { f.Crash(actors.RoleConnections, "") },
		actors.ServerShutdown: func(f *fixture, _ *actors.Stream) { f.System.Close() },
	} {
		t.Run(string(code), func(t *testing.T) {
			heard := &hooked{}
			eachMode(t, heard.hear, func(f *fixture) {
				*heard = hooked{}
				s := f.openFor(context.WithValue(context.Background(), spanKey{}, "a request"), "ada")
				end(f, s)
				f.until("the host has heard of the end", func() bool {
					heard.mu.Lock()
					defer heard.mu.Unlock()
					return len(heard.ended) > 0
				})
				f.System.Close() // nothing is heard after it
				if len(heard.opened) != 1 || heard.opened[0].ID != s.ID() || heard.opened[0].Subject != "ada" {
					f.t.Errorf("opened: %+v", heard.opened)
				}
				if len(heard.ended) != 1 || heard.ended[0].ID != s.ID() || heard.ended[0].Code != code || heard.ended[0].Subject != "ada" {
					f.t.Errorf("ended: %+v", heard.ended)
				}
				if want := s.ID() + " of a request"; heard.spans[0] != want || s.Context().Value(spanKey{}) != want {
					f.t.Errorf("the contexts have %v and %v", heard.spans, s.Context().Value(spanKey{}))
				}
			})
		})
	}
}

// A stream that was not admitted has no span.
func TestAHostHearsOfAdmittedStreamsAlone(t *testing.T) {
	heard := &hooked{}
	bubble(t, func(o *actors.Options) { heard.hear(o); o.Limits.Streams = 1 }, func(f *fixture) {
		ctx := context.WithValue(context.Background(), spanKey{}, "a request")
		f.openFor(ctx, "ada")
		if _, err := f.Connect(ctx, ofSubject("bob")); actors.CodeOf(err) != actors.AtCapacity {
			f.t.Fatal(err)
		}
		if len(heard.opened) != 1 || len(heard.ended) != 0 {
			f.t.Errorf("%+v", heard.opened)
		}
	})
}

// A host's hook that blocks, or fails, delays no stream and no actor.
func TestAHooksDefectIsFeltByNoStream(t *testing.T) {
	released := make(chan struct{})
	eachMode(t, func(o *actors.Options) {
		released = make(chan struct{}) // of the bubble
		o.OnEnd = func(_ context.Context, e actors.StreamEnd) {
			if e.Subject == "blocks" {
				<-released
			}
			panic("planted")
		}
		o.OnOpen = func(_ context.Context, s actors.StreamState) context.Context {
			if s.Subject == "fails" {
				panic("planted")
			}
			return nil
		}
	}, func(f *fixture) {
		f.openFor(context.Background(), "blocks").Close()
		func() {
			defer func() {
				if recover() != "planted" {
					f.t.Error("the panic did not reach its caller")
				}
			}()
			f.Connect(context.Background(), ofSubject("fails"))
		}()
		f.clean()
		f.works()
		close(released)
	})
}

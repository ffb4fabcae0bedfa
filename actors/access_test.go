package actors_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// ofSubject is a request of a user for everything of the exchange task.
func ofSubject(name string) actors.Request {
	r := request(task, "#")
	r.Subject = name
	return r
}

// openFor opens a user's stream and reads until it is ready.
func (f *fixture) openFor(ctx context.Context, name string) *actors.Stream {
	f.t.Helper()
	s, err := f.Connect(ctx, ofSubject(name))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(s.Close)
	f.awaitReady(s)
	return s
}

// A host hands over the context of a user's session: when that ends, so does the stream, and the
// client is told whether to come back.
func TestAStreamEndsWithTheContextThatItWasOpenedWith(t *testing.T) {
	banned := &actors.Error{Code: "Banned", Reason: "see the rules"}
	for _, c := range []struct {
		name    string
		session func() (ctx context.Context, end func())
		code    actors.Code
	}{
		{"cancelled", func() (context.Context, func()) {
			ctx, cancel := context.WithCancel(context.Background())
			return ctx, cancel
		}, actors.AccessRevoked},
		{"at its deadline", func() (context.Context, func()) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			return ctx, func() { time.Sleep(2 * time.Minute); cancel() }
		}, actors.TokenExpired},
		{"for a reason of the host", func() (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(context.Background())
			return ctx, func() { cancel(fmt.Errorf("the host: %w", banned)) }
		}, banned.Code},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachMode(t, nil, func(f *fixture) {
				session, end := c.session()
				s, other := f.openFor(session, "ada"), f.openFor(context.Background(), "ada")
				end()
				f.ends(s, c.code)
				f.publish("a", 1)
				f.messages(other, 1)
				if _, err := f.Connect(session, ofSubject("ada")); actors.CodeOf(err) != c.code {
					f.t.Errorf("opened with the ended context: %v", err)
				}
			})
		})
	}
}

// The same for a reader that takes all that waits at once.
func TestWhatWaitsIsNotTakenAfterTheAccessWasRevoked(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		session, end := context.WithCancel(context.Background())
		defer end()
		s, err := f.Connect(session, ofSubject("ada"))
		if err != nil {
			f.t.Fatal(err)
		}
		f.until("it is ready", func() bool { return s.State().Waiting == 2 })
		f.publish("a", 10)
		f.until("all wait", func() bool { return s.State().Messages == 10 })
		end()
		if events := s.Take(nil); len(events) != 1 || actors.CodeOf(asError(events[0])) != actors.AccessRevoked {
			f.t.Errorf("taken: %v", events)
		}
		s.Close()
	})
}

// What a user may not see any more is not shown because it has been waiting for a while.
func TestNoMessageIsReadAfterTheAccessWasRevoked(t *testing.T) {
	for name, revoke := range map[string]func(f *fixture, s *actors.Stream, end context.CancelFunc){
		"context": func(_ *fixture, _ *actors.Stream, end context.CancelFunc) { end() },
		"subject": func(f *fixture, _ *actors.Stream, _ context.CancelFunc) {
			if n, err := f.End(actors.BySubject("ada"), nil); n != 1 || err != nil {
				f.t.Error(n, err)
			}
		},
	} {
		for _, one := range []bool{false, true} {
			t.Run(map[bool]string{false: name, true: name + ", one read"}[one], func(t *testing.T) {
				eachMode(t, nil, func(f *fixture) {
					session, end := context.WithCancel(context.Background())
					defer end()
					s := f.openFor(session, "ada")
					f.publish("a", 10)
					f.until("all wait", func() bool { return s.State().Messages == 10 })
					if one {
						f.messages(s, 1) // the others are in Next's own hands
					}
					revoke(f, s, end)
					if e := f.next(s); actors.CodeOf(asError(e)) != actors.AccessRevoked {
						f.t.Errorf("read after the end of the access: %v", e)
					}
					if _, err := s.Next(context.Background()); err != io.EOF {
						f.t.Error(err)
					}
				})
			})
		}
	}
}

func asError(e actors.Event) error {
	err, _ := e.(error)
	return err
}

// "Sign out everywhere" is one call.
func TestEndEndsTheStreamsOfASubjectAndNoOther(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		ctx := context.Background()
		ada, too, bob, none := f.openFor(ctx, "ada"), f.openFor(ctx, "ada"), f.openFor(ctx, "bob"), f.openFor(ctx, "")
		if n, err := f.End(actors.BySubject("ada"), nil); n != 2 || err != nil {
			f.t.Fatal(n, err)
		}
		f.ends(ada, actors.AccessRevoked)
		f.ends(too, actors.AccessRevoked)
		why := &actors.Error{Code: "PasswordChanged", Reason: "sign in again"}
		if n, err := f.End(actors.BySubject("bob"), why); n != 1 || err != nil {
			f.t.Fatal(n, err)
		}
		if told := f.ends(bob, why.Code); told.Code.Retryable() {
			f.t.Error("a code of the host is retryable")
		}
		for _, which := range []actors.Which{{}, actors.BySubject(""), actors.BySubject("carol"), actors.BySubject("ada")} {
			if n, err := f.End(which, nil); n != 0 || err != nil {
				f.t.Errorf("%v: %d ended, %v", which, n, err)
			}
		}
		f.publish("a", 1)
		f.messages(none, 1)
	})
}

// One user with a hundred tabs takes no place of the others, whatever addresses they come from.
func TestASubjectHasAsManyStreamsAsItsLimit(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.StreamsPerSubject = 2 }, func(f *fixture) {
		ctx := context.Background()
		ada := f.openFor(ctx, "ada")
		f.openFor(ctx, "ada")
		if _, err := f.Connect(ctx, ofSubject("ada")); actors.CodeOf(err) != actors.TooManyStreams {
			f.t.Fatalf("the third: %v", err)
		}
		f.openFor(ctx, "bob")
		for range 3 {
			f.openFor(ctx, "")
		}
		ada.Close()
		f.until("the place is free", func() bool { return f.Stats().Streams == 5 })
		f.openFor(ctx, "ada")
	})
}

// Whose stream it is, is for the operator to see: or, with a key, only that two are of the same user.
func TestTheSubjectIsShownAsTheOperatorWants(t *testing.T) {
	for _, key := range []string{"", "of this test"} {
		bubble(t, func(o *actors.Options) { o.SubjectKey = key }, func(f *fixture) {
			streams := []*actors.Stream{f.openFor(context.Background(), "ada"), f.openFor(context.Background(), "ada"), f.openFor(context.Background(), "bob")}
			open := map[string]string{}
			for _, state := range f.Snapshot().Streams {
				open[state.ID] = state.Subject
			}
			for _, s := range streams {
				s.Close()
			}
			f.clean()
			ended := map[string]string{}
			for _, end := range f.Snapshot().Ends {
				ended[end.ID] = end.Subject
			}
			var shown []string
			for _, s := range streams {
				shown = append(shown, s.State().Subject)
				if open[s.ID()] != s.State().Subject || ended[s.ID()] != s.State().Subject {
					f.t.Errorf("%q in the tree, %q at its end, %+v", open[s.ID()], ended[s.ID()], s.State())
				}
			}
			plain := strings.Join(shown, " ") == "ada ada bob"
			if shown[0] != shown[1] || shown[0] == shown[2] || plain != (key == "") || (key != "" && len(shown[0]) != 16) {
				f.t.Errorf("shown with the key %q: %q", key, shown)
			}
		})
	}
}

// A reader that has closed its stream is never surprised by an event.
func TestNothingComesOutOfAClosedStream(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s := f.ready(task, "#")
		f.publish("a", 10)
		f.until("all wait", func() bool { return s.State().Messages == 10 })
		f.messages(s, 1)
		s.Close()
		if e, err := s.Next(context.Background()); err != io.EOF {
			f.t.Errorf("%v, %v", e, err)
		}
		for e, err := range s.Events(context.Background()) {
			f.t.Errorf("%v, %v", e, err)
		}
		ended := f.connect(task, "#")
		ended.Fail(&actors.Error{Code: actors.SlowConsumer})
		ended.Close()
		if e, err := ended.Next(context.Background()); err != io.EOF {
			f.t.Errorf("after its end: %v, %v", e, err)
		}
	})
}

// What a program gets wrong about a stream's end is told, not a crash.
func TestAStreamMayBeFailedWithAnything(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		for _, c := range []struct {
			err  *actors.Error
			code actors.Code
		}{
			{nil, actors.InternalError}, {&actors.Error{}, actors.InternalError}, {&actors.Error{Reason: "x"}, actors.InternalError},
			{&actors.Error{Code: "OfTheHost"}, "OfTheHost"}, {&actors.Error{Code: actors.AccessRevoked}, actors.AccessRevoked},
		} {
			s := f.ready(task, "#")
			s.Fail(c.err)
			f.ends(s, c.code)
		}
		s := f.connect(task, "#")
		s.Notify(nil)
		f.until("it is ready", func() bool { return s.State().Waiting == 2 })
		if events := s.Take(nil); len(events) != 2 {
			f.t.Errorf("%v", events)
		}
	})
}

// A loop over a stream's events knows why it ended: the stream's word, or its own context.
func TestEventsTellsWhyTheLoopEnded(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var last error
		for e, err := range f.connect(task, "#").Events(ctx) {
			if _, ready := e.(actors.Ready); ready {
				cancel()
			}
			last = err
		}
		if !errors.Is(last, context.Canceled) {
			f.t.Errorf("the loop ended with %v", last)
		}
	})
}

package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// eachProtocol runs a test with each way in which a stream reaches its client.
func eachProtocol(t *testing.T, change func(*settings), test func(p *proxy, get func(path string, header ...string) *reader)) {
	t.Helper()
	for _, protocol := range []string{"HTTP/1.1", "inside net/http", "HTTP/2"} {
		t.Run(protocol, func(t *testing.T) {
			p := start(t, func(s *settings) {
				s.NoHijack = protocol == "inside net/http"
				change(s)
			})
			test(p, func(path string, header ...string) *reader {
				if protocol == "HTTP/2" {
					return p.read(p.http2(t).get(path, header...).Body)
				}
				return p.read(p.do("GET", path, header...).Body)
			})
		})
	}
}

// cookies is the session store of a host: a session is a context that ends at its end.
type cookies map[string]context.Context

// admit lets users read what begins with their own name.
func (c cookies) admit(r *http.Request, q *actors.Request) (context.Context, error) {
	cookie, err := r.Cookie("session")
	if err != nil {
		return nil, Unauthorized("sign in first")
	}
	session := c[cookie.Value]
	if session == nil {
		return nil, fmt.Errorf("session: %w", Unauthorized("sign in again"))
	}
	for _, b := range q.Bindings {
		if !strings.HasPrefix(b.Pattern, cookie.Value+".") {
			return nil, actors.Forbidden(b)
		}
	}
	q.Subject = cookie.Value
	return session, nil
}

// mine asks for what a user may read.
func mine(user string) string {
	return connectPath(`{"bindings":[{"exchange":"` + exchange + `","routingKeyPattern":"` + user + `.#"}]}`)
}

func sessionOf(user string) []string { return []string{"Cookie", "session=" + user} }

// A user who is locked out reads nothing more, within a second, whatever the stream runs over; those
// who are not go on.
func TestARevokedSessionEndsItsStreamsOnEveryProtocol(t *testing.T) {
	ada, lockOut := context.WithCancel(context.Background())
	users := cookies{"ada": ada, "bob": context.Background()}
	eachProtocol(t, func(s *settings) {
		ada, lockOut = context.WithCancel(context.Background())
		users["ada"] = ada
		s.Admit = users.admit
	}, func(p *proxy, get func(string, ...string) *reader) {
		locked, other := get(mine("ada"), sessionOf("ada")...), get(mine("bob"), sessionOf("bob")...)
		for _, r := range []*reader{locked, other} {
			r.want("ping")
			r.want("ready")
		}
		p.publish("ada.x", `1`)
		locked.want("message")
		lockOut()
		p.publish("ada.x", `2`)
		if e := locked.next(); e.Name != "error" || !strings.Contains(e.Data, string(actors.AccessRevoked)) {
			p.t.Errorf("after the end of the session: %q", e)
		}
		p.publish("bob.x", `3`)
		other.want("message")
		if r := get(mine("ada"), sessionOf("ada")...); r.wantError(actors.AccessRevoked) == "" {
			p.t.Error("without a reason")
		}
	})
	lockOut()
}

// Who is not admitted is told so in a way that a page can read, and the broker hears nothing of it.
func TestWhoIsNotAdmittedIsToldSoAndCostsTheBrokerNothing(t *testing.T) {
	users := cookies{"ada": context.Background()}
	eachProtocol(t, func(s *settings) { s.Admit = users.admit }, func(p *proxy, get func(string, ...string) *reader) {
		for _, c := range []struct {
			path   string
			header []string
			reason string
		}{
			{mine("ada"), nil, "sign in first"},
			{mine("ada"), sessionOf("eve"), "sign in again"},
			{mine("bob"), sessionOf("ada"), `"bob.#"`},
			{all, sessionOf("ada"), `"#"`},
		} {
			if reason := get(c.path, c.header...).wantError(actors.Unauthorized); !strings.Contains(reason, c.reason) {
				p.t.Errorf("%s: %s", c.path, reason)
			}
		}
		if opened := p.system.Stats().Opened; opened != 0 {
			p.t.Errorf("%d streams were opened", opened)
		}
	})
}

// What decides over the bindings is what is bound: a second spelling of a key passes no check.
func TestNoSpellingOfTheBindingsGetsPastAdmit(t *testing.T) {
	t.Parallel()
	var asked []string
	p := start(t, func(s *settings) {
		s.Admit = func(_ *http.Request, q *actors.Request) (context.Context, error) {
			asked = append(asked, fmt.Sprint(q.Bindings))
			return nil, nil
		}
	})
	for _, element := range []string{
		`{"exchange":"EXCHANGE","Exchange":"other","routingKeyPattern":"a"}`,
		`{"Exchange":"other","exchange":"EXCHANGE","routingKeyPattern":"a"}`,
		`{"EXCHANGE":"EXCHANGE","exchange":"EXCHANGE","routingKeypattern":"#","routingKeyPattern":"a"}`,
	} {
		asked = nil
		r := p.read(p.do("GET", connectPath(strings.ReplaceAll(`{"bindings":[`+element+`]}`, "EXCHANGE", exchange))).Body)
		r.want("ping")
		r.want("ready")
		bound := fmt.Sprint(p.system.Snapshot().Streams[0].Bindings)
		if len(asked) != 1 || asked[0] != bound {
			t.Errorf("%s: the host was asked for %v, bound is %s", element, asked, bound)
		}
		p.system.End(actors.ByID(p.system.Snapshot().Streams[0].ID), nil)
		p.gone()
	}
}

// The host may narrow what is asked for, and name the user for limits and operators.
func TestAdmitMayChangeTheRequest(t *testing.T) {
	eachProtocol(t, func(s *settings) {
		s.actors.Limits.StreamsPerSubject = 1
		s.Admit = func(_ *http.Request, q *actors.Request) (context.Context, error) {
			q.Bindings[0].Pattern, q.Subject = "ada.#", "ada"
			return nil, nil
		}
	}, func(p *proxy, get func(string, ...string) *reader) {
		r := get(all)
		r.want("ping")
		r.want("ready")
		p.publish("bob.x", `1`)
		p.publish("ada.x", `2`)
		if data := r.want("message"); !strings.Contains(data, "ada.x") {
			p.t.Error(data)
		}
		if status := p.do("GET", all).StatusCode; status != http.StatusTooManyRequests {
			p.t.Errorf("the second stream of the user: %d", status)
		}
		if n, err := p.system.End(actors.BySubject("ada"), nil); n != 1 || err != nil {
			p.t.Error(n, err)
		}
		r.wantError(actors.AccessRevoked)
	})
}

// A defect of the host refuses one request, without a word of it to the client, and the next is served.
func TestAHostsDefectInAdmitRefusesTheRequest(t *testing.T) {
	defects := map[string]func() (context.Context, error){
		"panic": func() (context.Context, error) { panic("secret") },
		"error": func() (context.Context, error) { return nil, errors.New("secret") },
		"nil":   func() (context.Context, error) { return nil, (*actors.Error)(nil) },
		"empty": func() (context.Context, error) { return nil, &actors.Error{Reason: "secret"} },
	}
	eachProtocol(t, func(s *settings) {
		s.Admit = func(r *http.Request, _ *actors.Request) (context.Context, error) {
			if defect := defects[r.Header.Get("Defect")]; defect != nil {
				return defect()
			}
			return r.Context(), nil
		}
	}, func(p *proxy, get func(string, ...string) *reader) {
		for name := range defects {
			if told := get(all, "Defect", name).wantError(actors.InternalError); strings.Contains(told, "secret") {
				p.t.Errorf("%s: told %q", name, told)
			}
		}
		r := get(all)
		r.want("ping")
		r.want("ready")
	})
}

// A host that returns the request's own context, or one made of it, has a stream as long as any: and
// the context ends with the stream.
func TestTheContextThatAdmitSeesLivesAsLongAsTheStream(t *testing.T) {
	contexts := make(chan context.Context, 1) // one stream at a time
	type key struct{}
	eachProtocol(t, func(s *settings) {
		s.Admit = func(r *http.Request, _ *actors.Request) (context.Context, error) {
			contexts <- r.Context()
			return context.WithValue(r.Context(), key{}, r.URL.Path), nil
		}
	}, func(p *proxy, get func(string, ...string) *reader) {
		r := get(all)
		ctx := <-contexts
		r.want("ping")
		r.want("ready")
		p.publish("a", `1`)
		r.want("message")
		if ctx.Err() != nil {
			p.t.Fatal(ctx.Err())
		}
		p.system.End(actors.ByID(p.system.Snapshot().Streams[0].ID), nil)
		r.wantError(actors.ServerShutdown)
		select {
		case <-ctx.Done():
		case <-time.After(patience):
			p.t.Error("the stream has ended, and its context has not")
		}
	})
}

// A client that leaves while the host looks up its session makes it stop, and opens nothing.
func TestAClientThatLeavesEndsTheContextOfAdmit(t *testing.T) {
	asked, left := make(chan struct{}), make(chan struct{})
	p := start(t, func(s *settings) {
		s.Admit = func(r *http.Request, _ *actors.Request) (context.Context, error) {
			close(asked)
			<-r.Context().Done()
			close(left)
			return nil, r.Context().Err()
		}
	})
	conn := p.dial(all)
	<-asked
	conn.Close()
	select {
	case <-left:
	case <-time.After(patience):
		t.Error("the host waits for ever")
	}
	p.gone()
	if n := p.system.Stats().Opened; n != 0 {
		t.Errorf("%d streams were opened", n)
	}
}

// Where the service has no room, or is asked too often, that is the answer to those without access,
// too: passwords cannot be tried faster than the limit.
func TestTheLimitsHoldForWhoIsNotAdmitted(t *testing.T) {
	p := start(t, func(s *settings) {
		s.actors.Limits.ConnectsPerSecond = 0.001
		s.Admit = cookies{}.admit
	})
	p.read(p.do("GET", all).Body).wantError(actors.Unauthorized)
	if status := p.do("GET", all).StatusCode; status != http.StatusTooManyRequests {
		t.Error(status)
	}
}

// An operator ends what a user has open, by name.
func TestAnOperatorEndsTheStreamsOfASubject(t *testing.T) {
	p := start(t, func(s *settings) {
		s.Admit = cookies{"ada": context.Background(), "b&b": context.Background()}.admit
	})
	r := p.read(p.do("GET", mine("ada"), sessionOf("ada")...).Body)
	r.want("ping")
	operator := func(query string) int {
		answer := newRecorder()
		request, _ := http.NewRequest("POST", "/__tree__/end?"+query, nil)
		request.Host = "localhost"
		p.handler.Operator().ServeHTTP(answer, request)
		return answer.Code
	}
	for _, query := range []string{"subject=", "subject=eve", "stream=", ""} {
		if status := operator(query); status != http.StatusNotFound {
			t.Errorf("%s: %d", query, status)
		}
	}
	if status := operator("subject=" + url.QueryEscape("ada")); status != http.StatusOK {
		t.Error(status)
	}
	r.wantError(actors.AccessRevoked)
}

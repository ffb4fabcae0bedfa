package embed

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	httpapi "github.com/taskcluster/events-proxy/http"
)

// host is a program whose users sign in, read what is theirs, and may be locked out.
type host struct {
	*http.ServeMux
	sessions sync.Map // of session, by cookie
}

type session struct {
	context.Context
	user    string
	lockOut context.CancelFunc
}

func newHost(system *actors.System, o httpapi.Options) (*host, *httpapi.Handler) {
	h := &host{ServeMux: http.NewServeMux()}
	o.Admit = h.admit
	events := httpapi.New(system, o)
	registry := prometheus.NewRegistry()
	registry.MustRegister(events.Collector())
	h.Handle("/events", events.Connect())
	h.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	h.HandleFunc("POST /sign-in", h.signIn)
	h.HandleFunc("POST /lock-out", h.lockOut)
	return h, events
}

func (h *host) signIn(w http.ResponseWriter, r *http.Request) {
	ctx, lockOut := context.WithCancel(context.Background())
	cookie := &http.Cookie{Name: "session", Value: rand.Text(), HttpOnly: true}
	h.sessions.Store(cookie.Value, session{ctx, r.FormValue("user"), lockOut})
	http.SetCookie(w, cookie)
}

func (h *host) lockOut(_ http.ResponseWriter, r *http.Request) {
	for cookie, s := range h.sessions.Range {
		if s := s.(session); s.user == r.FormValue("user") {
			h.sessions.Delete(cookie)
			s.lockOut()
		}
	}
}

func (h *host) admit(r *http.Request, q *actors.Request) (context.Context, error) {
	cookie, err := r.Cookie("session")
	if err != nil {
		return nil, httpapi.Unauthorized("sign in first")
	}
	s, found := h.sessions.Load(cookie.Value)
	if !found {
		return nil, httpapi.Unauthorized("sign in again")
	}
	q.Subject = s.(session).user
	for _, b := range q.Bindings {
		if !h.may(q.Subject, b) {
			return nil, actors.Forbidden(b)
		}
	}
	q.Map = visible
	return s.(session), nil
}

// visible keeps from users what the host's own parts tell each other.
func visible(m *actors.Message) *actors.Message {
	if strings.HasSuffix(m.RoutingKey, ".internal") {
		return nil
	}
	return m
}

func (h *host) may(user string, b amqp.Binding) bool { return strings.HasPrefix(b.Pattern, user+".") }

package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	httpapi "github.com/taskcluster/events-proxy/http"
)

// What a program decides and adds that serves streams among its own pages.

// newSystem opens a System on a broker in memory; end closes both.
func newSystem() (system *actors.System, end func()) {
	broker := amqp.NewMemory()
	system, err := actors.Open(actors.Options{Dialer: broker})
	if err != nil {
		log.Fatal(err)
	}
	return system, func() {
		system.Close()
		broker.Close()
	}
}

// get returns the body of an answer, which ends.
func get(address, cookie string) string {
	request, err := http.NewRequest("GET", address, nil)
	if err != nil {
		log.Fatal(err)
	}
	if cookie != "" {
		request.AddCookie(&http.Cookie{Name: "session", Value: cookie})
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	return string(body)
}

// Users sign in with a cookie, and read what their name begins. Their streams live as long as their
// sessions: a session that ends ends them, over every protocol, with AccessRevoked.
func ExampleOptions_admit() {
	type session struct {
		context.Context
		user string
	}
	sessions := map[string]session{"4711": {context.Background(), "ada"}} // by cookie
	admit := func(r *http.Request, q *actors.Request) (context.Context, error) {
		cookie, err := r.Cookie("session")
		if err != nil {
			return nil, httpapi.Unauthorized("sign in first")
		}
		s, found := sessions[cookie.Value]
		if !found {
			return nil, httpapi.Unauthorized("sign in again")
		}
		for _, b := range q.Bindings {
			if may := (amqp.Binding{Exchange: b.Exchange, Pattern: s.user + ".#"}); !may.Covers(b) {
				return nil, actors.Forbidden(b)
			}
		}
		q.Subject = s.user
		return s, nil
	}

	system, end := newSystem()
	defer end()
	handler := httpapi.New(system, httpapi.Options{Admit: admit})
	server := httptest.NewServer(handler)
	defer server.Close()
	bindings := url.QueryEscape(`{"bindings": [{"exchange": "amq.topic", "routingKeyPattern": "bob.#"}]}`)
	for _, cookie := range []string{"", "4711"} {
		fmt.Println(strings.Split(get(server.URL+"/v1/connect/?bindings="+bindings, cookie), "\n")[1])
	}
	// Output:
	// data: {"code":"Unauthorized","message":"sign in first","retryable":false}
	// data: {"code":"Unauthorized","message":"No access to the exchange \"amq.topic\" with the routing key pattern \"bob.#\"","retryable":false}
}

// The metrics beside a program's own, in one registry.
func ExampleHandler_Collector() {
	system, end := newSystem()
	defer end()
	registry := prometheus.NewRegistry()
	registry.MustRegister(httpapi.New(system, httpapi.Options{}).Collector())
	families, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "events_streams" {
			fmt.Println(family.GetName(), family.GetMetric()[0].GetGauge().GetValue())
		}
	}
	// Output: events_streams 0
}

// A program with routes of its own mounts the parts where it likes. The page reads the stream that is
// beside it, below the same prefix.
func ExampleHandler_Connect() {
	system, end := newSystem()
	defer end()
	handler := httpapi.New(system, httpapi.Options{})
	mux := http.NewServeMux()
	mux.Handle("/events", handler.Connect())
	mux.Handle("/inspector/", http.StripPrefix("/inspector", handler.Inspector()))
	mux.Handle("/__lbheartbeat__", handler.Health())
	server := httptest.NewServer(mux)
	defer server.Close()

	fmt.Println(strings.Split(get(server.URL+"/events?bindings=7", ""), "\n")[0])
	fmt.Println(strings.Contains(get(server.URL+"/inspector/", ""), "Pulse Inspector"))
	fmt.Println(strings.TrimSpace(get(server.URL+"/__lbheartbeat__", "")))
	// Output:
	// event: error
	// true
	// {}
}

// The end of a program with an http.Server of its own, in the order that ends streams with a reason.
func ExampleHandler_Register() {
	system, end := newSystem()
	defer end()
	handler := httpapi.New(system, httpapi.Options{})
	server := &http.Server{Addr: "localhost:0", Handler: handler}
	handler.Register(server, 0) // before Shutdown

	served := make(chan error)
	go func() { served <- server.ListenAndServe() }()
	ctx := context.Background()
	err := errors.Join(
		server.Shutdown(ctx),  // no new clients; the streams are told
		handler.Shutdown(ctx), // the last of them has read it
		system.Close(),        // nothing is left at the broker
	)
	fmt.Println(err, errors.Is(<-served, http.ErrServerClosed))
	// Output: <nil> true
}

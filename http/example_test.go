package httpapi_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/sse"
)

// span stands for a tracing library's, such as OpenTelemetry's: the hooks need no more of it than a
// context that carries it.
type span struct{ trace, name string }

type spanKey struct{}

// startSpan returns a context with a span of the trace that ctx belongs to.
func startSpan(ctx context.Context, name string) context.Context {
	trace, _ := ctx.Value(spanKey{}).(span)
	return context.WithValue(ctx, spanKey{}, span{trace.trace, name})
}

// Each stream is a span in the trace of its request, however long it outlives that: OnOpen starts it
// below the request's, and OnEnd ends it with the stream's reason. A slog handler that adds the trace
// of a line's context, as those of tracing libraries do, adds it to every line about the stream.
func ExampleHandler_tracing() {
	ended := make(chan string)
	broker := amqp.NewMemory()
	defer broker.Close()
	system, err := actors.Open(actors.Options{
		Dialer: broker,
		OnOpen: func(ctx context.Context, s actors.StreamState) context.Context {
			return startSpan(ctx, fmt.Sprintf("stream of %v", s.Bindings))
		},
		OnEnd: func(ctx context.Context, e actors.StreamEnd) {
			s := ctx.Value(spanKey{}).(span)
			ended <- fmt.Sprintf("trace %s: %s: %s", s.trace, s.name, e.Code)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer system.Close()
	handler := httpapi.New(system, httpapi.Options{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // the tracing middleware
		ctx := context.WithValue(r.Context(), spanKey{}, span{trace: r.Header.Get("Traceparent"), name: r.Method})
		handler.ServeHTTP(w, r.WithContext(ctx))
	}))
	defer server.Close()

	bindings := `{"bindings": [{"exchange": "exchange/none", "routingKeyPattern": "#"}]}`
	request, err := http.NewRequest("GET", server.URL+"/v1/connect/?bindings="+url.QueryEscape(bindings), nil)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Traceparent", "4bf92f35")
	stream, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Body.Close()
	fmt.Println(<-ended)
	// Output: trace 4bf92f35: stream of ["exchange/none" "#"]: BindingRefused
}

// A program with an HTTP server of its own mounts the events proxy below a
// path, publishes a message and reads it back as a browser would.
func ExampleNew() {
	broker := amqp.NewMemory() // or amqp.RabbitMQ
	defer broker.Close()
	system, err := actors.Open(actors.Options{Dialer: broker})
	if err != nil {
		log.Fatal(err)
	}
	defer system.Close()

	handler := httpapi.New(system, httpapi.Options{})
	mux := http.NewServeMux()
	mux.Handle("/pulse/", http.StripPrefix("/pulse", handler))
	server := httptest.NewServer(mux)
	defer server.Close()
	defer handler.Shutdown(context.Background()) // the streams first, then the server

	ctx := context.Background()
	publisher, err := broker.Publisher(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer publisher.Close()
	if err := publisher.Declare(ctx, "exchange/builds", "topic"); err != nil {
		log.Fatal(err)
	}

	bindings := `{"bindings": [{"exchange": "exchange/builds", "routingKeyPattern": "linux.#"}]}`
	stream, err := http.Get(server.URL + "/pulse/api/events/v1/connect/?bindings=" + url.QueryEscape(bindings))
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Body.Close()

	for event, err := range sse.NewDecoder(stream.Body).All() {
		if err != nil {
			log.Fatal(err)
		}
		switch event.Name {
		case "ready":
			if err := publisher.Publish(ctx, "exchange/builds", "linux.x64", amqp.Message{Body: []byte(`{"green": true}`)}); err != nil {
				log.Fatal(err)
			}
		case "message":
			fmt.Println(event.Data)
			return
		}
	}
	// Output: {"payload":{"green":true},"exchange":"exchange/builds","routingKey":"linux.x64","redelivered":false,"routes":[]}
}

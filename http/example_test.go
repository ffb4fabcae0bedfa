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

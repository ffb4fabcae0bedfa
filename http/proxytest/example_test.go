package proxytest_test

import (
	"fmt"
	"log"
	"net/http"
	"net/url"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/http/proxytest"
	"github.com/taskcluster/events-proxy/http/sse"
)

// A client's test against the whole proxy, in the test's own process.
func ExampleStart() {
	broker := amqp.NewMemory()
	defer broker.Close()
	proxy, err := proxytest.Start(proxytest.Options{Actors: actors.Options{Dialer: broker}})
	if err != nil {
		log.Fatal(err)
	}
	defer proxy.Close()
	bindings := url.QueryEscape(`{"bindings": [{"exchange": "amq.topic", "routingKeyPattern": "#"}]}`)
	answer, err := http.Get(proxy.URL + "/api/events/v1/connect/?bindings=" + bindings)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	for event, err := range sse.NewDecoder(answer.Body).All() {
		if err != nil {
			log.Fatal(err)
		}
		if event.Name != "ping" {
			fmt.Println(event.Name)
			return
		}
	}
	// Output: ready
}

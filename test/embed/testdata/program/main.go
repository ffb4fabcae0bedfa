// A program that serves events next to its own pages, without a broker.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	httpapi "github.com/taskcluster/events-proxy/http"
)

func main() {
	broker := amqp.NewMemory()
	system, err := actors.Open(actors.Options{Dialer: broker})
	must(err)
	defer system.Close()
	publisher, err := broker.Publisher(context.Background())
	must(err)
	must(publisher.Declare(context.Background(), "exchange/mine", "topic"))

	server := httptest.NewServer(httpapi.New(system, httpapi.Options{}))
	query := url.QueryEscape(`{"bindings":[{"exchange":"exchange/mine","routingKeyPattern":"hello.#"}]}`)
	response, err := http.Get(server.URL + "/events/v1/connect?bindings=" + query)
	must(err)
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		switch line := lines.Text(); {
		case line == "event: ready":
			must(publisher.Publish(context.Background(), "exchange/mine", "hello.world", amqp.Message{Body: []byte(`{"n":1}`)}))
		case strings.Contains(line, `"routingKey":"hello.world"`):
			fmt.Println(line)
			return
		}
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

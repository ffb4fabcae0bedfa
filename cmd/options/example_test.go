package options_test

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/cmd/options"
	"github.com/taskcluster/events-proxy/config"
	httpapi "github.com/taskcluster/events-proxy/http"
)

// A program that embeds the proxy and is configured as the binary is, here by flags.
func Example() {
	c, err := config.Load([]string{"--streams=100", "--exchanges=exchange/tc/*"}, nil, os.ReadFile)
	if err != nil {
		fmt.Println(err)
		return
	}
	broker := amqp.NewMemory() // or options.Broker(c)
	defer broker.Close()
	system, err := actors.Open(options.System(c, broker, slog.New(slog.DiscardHandler)))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer system.Close()
	handler := httpapi.New(system, options.Handler(c, "http://localhost:8080", slog.New(slog.DiscardHandler)))

	// Later, with settings that were loaded again:
	fmt.Println(system.SetPolicy(options.SystemPolicy(c)), handler.SetPolicy(options.HandlerPolicy(c)))
	// Output: <nil> <nil>
}

// Package faults shows the promises about failure on a real RabbitMQ node, with
// the whole proxy in this process: each test names the fault of the list that
// it is about (A1, …), and most end with the same proof: nothing of any
// stream is left, on the broker or here.
package faults

import (
	"flag"
	"testing"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// TestMain lets four parallel tests run side by side, unless -parallel has a number: they wait most of
// the time, for limits and for nodes that start. Those that count what the process has, see
// rig.clean, are not parallel, and run before them, one after another.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(rabbit.Main(m))
}

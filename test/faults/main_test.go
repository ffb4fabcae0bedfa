// Package faults shows the promises about failure on a real RabbitMQ node, with
// the whole proxy in this process: each test names the fault of the list that
// it is about (A1, …), and each ends with the same proof: nothing of any
// stream is left, on the broker or here.
package faults

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(m)) }

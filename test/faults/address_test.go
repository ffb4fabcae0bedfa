package faults

import (
	"fmt"
	"net"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/http/proxytest"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// A43: of three addresses one takes connections and says nothing, one refuses: whichever is tried
// first, a stream is ready within the time of one dial, and so is one after the link was lost.
func TestA43AMuteAndARefusingAddressDelayNoStreamBeyondADial(t *testing.T) {
	node := rabbit.Run(t)
	url := fmt.Sprintf("amqp://guest:guest@%s,%s,%s/", mute(t), refusing(t), node.Address())
	for range 4 { // the order is drawn
		dialer, err := amqp.NewRabbitMQ(url, amqp.RabbitMQOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{T: t, log: &logbook{}}
		if r.proxy, err = proxytest.Start(proxytest.Options{Actors: actors.Options{Dialer: dialer}}); err != nil {
			t.Fatal(err)
		}
		r.readyWithinADial()
		if err := node.CloseConnections(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.readyWithinADial()
		r.proxy.Close()
	}
}

// readyWithinADial opens streams, as clients do that are told to come back, until one is ready.
func (r *rig) readyWithinADial() {
	r.Helper()
	r.within(amqp.DialTimeout, "a stream is ready", func() error {
		s := r.ask(script.Query("amq.topic", "#"), clients.Options{})
		defer s.Close()
		return r.wait(s, isReady)
	})
}

// mute is an address that takes connections and never says a word.
func mute(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() }) // no program accepts: the kernel does
	return l.Addr().String()
}

// refusing is an address at which nothing listens.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

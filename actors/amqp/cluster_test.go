package amqp_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

func only(address string) func(string) bool { return func(a string) bool { return a == address } }

// A pool of links starts from what a link can carry, which the broker decides.
func TestALinkTellsTheChannelsThatWereNegotiated(t *testing.T) {
	if got := amqp.Capacity(link(t, newMemory(t, amqp.MemoryOptions{ChannelsPerLink: 3}))); got != 3 {
		t.Errorf("a link to Memory tells %d channels", got)
	}
	node := rabbit.Run(t)
	for query, want := range map[string]int{"": 2047, "?channel_max=7": 7} {
		l := link(t, dialer(t, node.URL()+query))
		if got := amqp.Capacity(l); got != want {
			t.Errorf("%q: the link tells %d channels, want %d", query, got, want)
		}
		must(t, l.Close(time.Second))
	}
}

// bare is a link that implements no optional method.
type bare struct{ amqp.Link }

// Links without capacity and address can be used all the same.
func TestALinkMayKeepItsCapacityAndAddress(t *testing.T) {
	l := bare{link(t, newMemory(t, amqp.MemoryOptions{}))}
	if amqp.Capacity(l) != 0 || amqp.Address(l) != "" {
		t.Errorf("got %d, %q", amqp.Capacity(l), amqp.Address(l))
	}
}

// The nodes of a Memory are dialed and end one by one, as those of a cluster do.
func TestAMemoryHasNodes(t *testing.T) {
	m := newMemory(t, amqp.MemoryOptions{Nodes: []string{"b:1", "a:1", "b:1"}})
	if got := m.Addresses(t.Context()); !slices.Equal(got, []string{"a:1", "b:1"}) {
		t.Errorf("addresses %q", got)
	}
	a, err := m.DialWhere(t.Context(), only("a:1"))
	must(t, err)
	b, err := m.DialWhere(t.Context(), only("b:1"))
	must(t, err)
	if amqp.Address(a) != "a:1" || amqp.Address(b) != "b:1" {
		t.Errorf("links to %q and %q", amqp.Address(a), amqp.Address(b))
	}
	if !m.StopNode("a:1") || m.StopNode("c:1") {
		t.Error("StopNode does not know the nodes")
	}
	<-a.Lost()
	isKind(t, a.Err(), amqp.LinkLost)
	must(t, b.Err())
	_, err = m.DialWhere(t.Context(), only("a:1"))
	isKind(t, err, amqp.LinkLost)
	for range 10 {
		if l := link(t, m); amqp.Address(l) != "b:1" {
			t.Errorf("a link to %q", amqp.Address(l))
		}
	}
	m.StartNode("a:1")
	_, err = m.DialWhere(t.Context(), only("a:1"))
	must(t, err)
	if _, err = m.DialWhere(t.Context(), only("c:1")); !errors.Is(err, amqp.ErrNoAddress) {
		t.Errorf("got %v", err)
	}
}

// A mute node is dialed for as long as a dial may take, and not at all beside one that answers.
func TestAMuteNodeOfAMemoryHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, amqp.MemoryOptions{Nodes: []string{"a:1", "b:1"}})
		m.MuteNode("a:1")
		begin := time.Now()
		for range 10 {
			link(t, m)
		}
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("ten dials took %s", waited)
		}
		_, err := m.DialWhere(t.Context(), only("a:1"))
		isKind(t, err, amqp.LinkLost)
		if waited := time.Since(begin); waited != amqp.DialTimeout {
			t.Errorf("the mute node was given up after %s", waited)
		}
		dialed := make(chan error, 1)
		go func() {
			_, err := m.DialWhere(t.Context(), only("a:1"))
			dialed <- err
		}()
		synctest.Wait()
		m.StartNode("a:1")
		must(t, <-dialed)
	})
}

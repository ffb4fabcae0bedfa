package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// What an operator of the broker limits: channels, queues, rights.

// A23: at the user's limit of channels newcomers are told to come back, and the streams that live
// are untouched; further ones are refused without a try; and when the operator raises the limit
// they are served.
func TestA23AChannelLimitOfTheUserEndsNoStream(t *testing.T) {
	eachModeAside(t, settings{}, alone, func(r *rig) {
		r.do(r.node.LimitChannels(r.Context(), r.broker.Namespace(), 5))
		defer func() { r.do(r.node.LimitChannels(r.Context(), r.broker.Namespace(), -1)) }()
		neighbours := r.neighbours(5)
		for i := range 3 {
			s := r.open(exchange, fmt.Sprintf("late.%d", i))
			r.awaits(s, endsWith(actors.BrokerUnavailable))
			if f, _, _ := s.Received().Failure(); !*f.Retryable {
				r.Errorf("the newcomer is told %+v", f)
			}
		}
		opened := r.opened()
		for i := range 20 {
			r.awaits(r.open(exchange, fmt.Sprintf("later.%d", i)), endsWith(actors.BrokerUnavailable))
		}
		if n := r.opened() - opened; n != 0 {
			r.Errorf("%d channels were opened beyond the limit", n)
		}
		r.unharmed(neighbours)
		neighbours[4].Close()
		r.within(10*time.Second, "a newcomer takes the free place", r.isServed(exchange, "next"))
		r.do(r.node.LimitChannels(r.Context(), r.broker.Namespace(), 50))
		r.within(45*time.Second, "the raised limit is noticed", r.isServed(exchange, "raised"))
		r.undisturbed(neighbours[:4])
		for _, s := range neighbours {
			s.Close()
		}
		r.vanishes(rest{1 << 20, 1 << 20})
	})
}

// A23, what is done beside the streams: at the limit, clients come and go, an exchange is tried, one
// is made again and bound again, and a call without an answer has its connection probed. Each needs a
// channel that there is not, or one that the broker has counted a moment ago; no stream ends for it.
func TestA23WhatIsDoneBesideStreamsEndsNoneAtTheLimit(t *testing.T) {
	t.Parallel()
	r := onRabbitMQ(t, settings{node: alone(t), gated: true, limits: actors.Limits{RebindEvery: time.Second}})
	defer r.gate.SwallowBinds("")
	const remote, other = "exchange/remote", "exchange/other"
	for _, name := range []string{remote, other} {
		r.declare(name)
		r.ready(name, "before.#").Close()
	}
	r.do(r.node.LimitChannels(r.Context(), r.broker.Namespace(), 5))
	defer func() { r.do(r.node.LimitChannels(r.Context(), r.broker.Namespace(), -1)) }()
	neighbours := r.neighbours(5)
	r.awaits(r.open(exchange, "late"), endsWith(actors.BrokerUnavailable))
	neighbours[4].Close()
	neighbours = neighbours[:4]
	for i := range 30 {
		s, err := r.dial(script.Query(other, fmt.Sprintf("comes.%d", i)), clients.Options{})
		r.do(err)
		r.awaits(s, func(received clients.Received) error {
			if received.Ended { // told to come back: that harms none
				return nil
			}
			return isReady(received)
		})
		s.Close()
	}
	r.within(10*time.Second, "the free place is found", r.isServed(other, "served"))
	r.unharmed(neighbours)
	for range 3 {
		r.takesThePlace(endsWith(actors.BindingRefused), "exchange/none", "#")
	}
	r.unharmed(neighbours)
	last := r.takesThePlace(isReady, other, "#")
	untried := r.proxy.System.Stats().RebindsUntried
	r.delete(other)
	r.declare(other)
	r.eventually("the last stream hears its exchange again", func() error {
		r.publishTo(other)
		return isReceived(last.Received())
	})
	if r.proxy.System.Stats().RebindsUntried == untried {
		r.Error("bindings that no scout has tried are not counted")
	}
	last.Close()
	r.gate.SwallowBinds(remote)
	r.within(30*time.Second, "a call without an answer is told", func() error {
		s := r.open(remote, "#")
		r.awaits(s, endsWith(actors.BrokerUnavailable))
		if n := r.proxy.System.Stats().LinksRetired; n != 1 {
			return fmt.Errorf("%d links were retired", n)
		}
		return nil
	})
	r.unharmed(neighbours)
}

// A23, routed: the routed queue's second channel is one of those that the user may have, and no other
// stream gets it, however often an exchange is refused on it.
func TestA23TheRoutedQueueAtTheLimitEndsNoStream(t *testing.T) {
	const status, away = "exchange/status", "exchange/away"
	t.Parallel()
	r := onRabbitMQ(t, settings{node: alone(t), routed: []string{status, away}, limits: actors.Limits{RebindEvery: time.Second}})
	// Before a stream comes: what was found out before the limit counts for a while.
	r.do(r.node.LimitChannels(r.Context(), r.broker.Namespace(), 5))
	defer func() { r.do(r.node.LimitChannels(r.Context(), r.broker.Namespace(), -1)) }()
	for _, name := range []string{status, away} { // tried while there is room for a scout
		r.declare(name)
		r.takesThePlace(isReady, name, "#").Close()
		r.vanishes(rest{1 << 20, 1 << 20}) // no channel either
	}
	neighbours := make([]*clients.Stream, 4)
	for i := range neighbours {
		neighbours[i] = r.takesThePlace(isReady, exchange, "#", exchange, fmt.Sprintf("other.%d", i))
	}
	r.awaits(r.open(status, "#"), endsWith(actors.BrokerUnavailable))
	r.unharmed(neighbours)
	neighbours[3].Close()
	neighbours = neighbours[:3]
	r.within(45*time.Second, "the routed queue has its two channels", r.isServed(status, "#"))
	routed := r.ready(status, "#")
	r.awaits(r.open(exchange, "late"), endsWith(actors.BrokerUnavailable))
	for range 3 {
		s := r.ready(away, "#")
		r.delete(away)
		r.awaits(s, endsWith(actors.BindingRefused))
		r.declare(away)
	}
	r.unharmed(neighbours)
	r.eventually("the routed stream receives", func() error {
		r.publishTo(status)
		return isReceived(routed.Received())
	})
}

// publishTo publishes one message.
func (r *rig) publishTo(exchange string) {
	r.Helper()
	publisher := r.publisher()
	defer publisher.Close()
	ctx, cancel := r.bounded()
	defer cancel()
	r.do(script.Taken(publisher.Publish(ctx, exchange, "primary.x", amqp.Message{Body: []byte("{}")})))
}

func isReceived(received clients.Received) error {
	if received.Messages == 0 {
		return fmt.Errorf("no message, ended is %t", received.Ended)
	}
	return nil
}

// takesThePlace opens a stream again and again, as a client does that is told to come back, until
// nothing lacks in what it receives. The place of one that has left is free only when the broker has
// closed its channel.
func (r *rig) takesThePlace(lacks func(clients.Received) error, pairs ...string) (taken *clients.Stream) {
	r.Helper()
	r.within(10*time.Second, "the free place is taken", func() error {
		s := r.open(pairs...)
		r.awaits(s, func(received clients.Received) error {
			if endsWith(actors.BrokerUnavailable)(received) == nil {
				return nil
			}
			return lacks(received)
		})
		taken = s
		return lacks(s.Received())
	})
	return taken
}

// isServed returns a function that opens a stream and reports whether it becomes ready.
func (r *rig) isServed(pairs ...string) func() error {
	return func() error {
		s, err := r.dial(script.Query(pairs...), clients.Options{})
		if err != nil {
			return err
		}
		ctx, cancel := r.bounded()
		defer cancel()
		defer s.Close()
		ended := func(received clients.Received) error {
			if received.Ended {
				return nil
			}
			return isReady(received)
		}
		if err := s.Wait(ctx, ended); err != nil {
			return err
		}
		return isReady(s.Received())
	}
}

// A24: where the broker negotiates fewer channels than the proxy would put on a connection,
// everybody of a burst is served, on as few further connections as that takes, after a burst too.
func TestA24FewChannelsAConnectionServeEverybody(t *testing.T) {
	const channels, burst = 10, 60
	eachModeAside(t, settings{}, alone, func(r *rig) {
		r.do(r.node.NegotiateChannels(r.Context(), channels))
		defer func() { r.do(r.node.NegotiateChannels(r.Context(), 2047)) }()
		r.do(r.node.CloseConnections(r.Context())) // those that have negotiated more
		r.within(30*time.Second, "the proxy has a new link", r.isServed(exchange, "#"))
		for round := range 2 {
			streams := make([]*clients.Stream, burst)
			for i := range streams {
				streams[i] = r.open(exchange, fmt.Sprintf("#.%d.%d", round, i))
			}
			for _, s := range streams {
				r.awaits(s, isReady)
			}
			links := r.proxy.System.Snapshot().Links
			for _, l := range links {
				if l.Capacity != channels || l.Channels > channels {
					r.Errorf("a link of %d channels has room for %d and %d leases", channels, l.Capacity, l.Channels)
				}
			}
			if needed := burst / channels; len(links) > needed+1 { // one may be dialed and not needed any more
				r.Errorf("round %d: %d links for streams that need %d", round, len(links), needed)
			}
			for _, s := range streams {
				s.Close()
			}
			r.vanishes(rest{1 << 20, 1 << 20}) // of the burst
		}
	})
}

// A27: a virtual host that has as many queues as it may is told as want of room, and the client may
// come back.
func TestA27AVirtualHostWithoutRoomIsUnavailable(t *testing.T) {
	eachMode(t, settings{}, func(r *rig) {
		neighbours := r.neighbours(2)
		r.do(r.node.LimitQueues(r.Context(), r.vhost, 2))
		s := r.open(exchange, "third")
		r.awaits(s, endsWith(actors.BrokerUnavailable))
		if f, _, _ := s.Received().Failure(); !*f.Retryable {
			r.Errorf("the client is told %+v", f)
		}
		r.answers("/__heartbeat__", 200)
		r.undisturbed(neighbours)
		r.do(r.node.LimitQueues(r.Context(), r.vhost, -1))
		r.ready(exchange, "third").Close()
		for _, s := range neighbours {
			s.Close()
		}
		r.clean()
	})
}

// A27, the other half: the service's user has lost its right to make queues. Clients may come back;
// the operator sees an ERROR, a red heartbeat and a count; and the right's return is noticed.
func TestA27AMissingRightOfTheServiceIsLoud(t *testing.T) {
	eachModeAside(t, settings{}, shared, func(r *rig) {
		neighbours := r.neighbours(2)
		user := r.broker.Namespace()
		r.do(r.node.SetPermissions(r.Context(), user, r.vhost, rabbit.Permissions{Read: "^exchange/.*"}))
		for i := range 3 {
			s := r.open(exchange, fmt.Sprintf("denied.%d", i))
			r.awaits(s, endsWith(actors.BrokerUnavailable))
		}
		r.answers("/__heartbeat__", 503)
		r.answers("/__lbheartbeat__", 200)
		if n := r.proxy.System.Stats().Denied; n != 3 {
			r.Errorf("%d denials are counted, want 3", n)
		}
		if n := r.log.count("level=ERROR"); n != 1 {
			r.Errorf("%d ERROR lines, want one", n)
		}
		r.undisturbed(neighbours)
		r.do(r.node.SetPermissions(r.Context(), user, r.vhost, rabbit.PulseUser(user)))
		r.within(30*time.Second, "the right's return is noticed", func() error {
			if r.proxy.System.Health().Denied {
				return fmt.Errorf("it is denied")
			}
			return nil
		})
		r.answers("/__heartbeat__", 200)
		r.ready(exchange, "again").Close()
		for _, s := range neighbours {
			s.Close()
		}
		r.vanishes(rest{1 << 20, 1 << 20})
	})
}

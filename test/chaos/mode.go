package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// Mode is how a proxy serves streams.
type Mode string

// The modes, which are conditions of scripts too.
const (
	Dedicated Mode = "dedicated" // each stream has a queue of its own
	Shared    Mode = "shared"    // those with equal bindings have one queue
	Routed    Mode = "routed"    // all have one queue
)

// RoutedExchanges are those of scripts that are played in the mode Routed.
var RoutedExchanges = []string{"exchange/tc/*"}

// Settings returns the settings of a proxy that serves scripts in this mode.
func (m Mode) Settings() script.Settings {
	s := script.Settings{ShareQueues: m == Shared}
	if m == Routed {
		s.Routed = RoutedExchanges
	}
	return s
}

// Mode finds out how the proxy serves streams of a topic exchange, which is declared: nothing tells it
// but what two streams with different bindings have in common. When it returns they have gone.
func (a Attached) Mode(ctx context.Context, exchange string) (Mode, error) {
	ctx, cancel := context.WithTimeout(ctx, modePatience)
	defer cancel()
	if err := a.declare(ctx, exchange); err != nil {
		return "", err
	}
	mode, err := a.modeOf(ctx, exchange)
	if err != nil {
		return "", fmt.Errorf("find out how the proxy serves %s: %w", exchange, err)
	}
	return mode, nil
}

// modePatience bounds the finding out, with the time for which a shared queue stays without streams.
const modePatience = 30 * time.Second

func (a Attached) declare(ctx context.Context, exchange string) error {
	dialer, err := amqp.NewRabbitMQ(a.Broker, amqp.RabbitMQOptions{Name: "events-chaos"})
	if err != nil {
		return err
	}
	publisher, err := dialer.Publisher(ctx)
	if err != nil {
		return err
	}
	defer publisher.Close()
	return publisher.Declare(ctx, exchange, "topic")
}

func (a Attached) modeOf(ctx context.Context, exchange string) (Mode, error) {
	before, err := a.Snapshot(ctx)
	if err != nil {
		return "", err
	}
	now, err := a.withTwo(ctx, exchange)
	if err != nil {
		return "", err
	}
	for {
		after, err := a.Snapshot(ctx)
		if err == nil && len(feedsBeside(before, after)) == 0 && after.Stats.Workers <= before.Stats.Workers && after.Stats.Streams <= before.Stats.Streams {
			return modeIn(before, now), nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done(): // others come and go meanwhile
			return modeIn(before, now), nil
		}
	}
}

// withTwo returns the tree while two streams are there whose bindings nothing else has.
func (a Attached) withTwo(ctx context.Context, exchange string) (now actors.Snapshot, err error) {
	unique := rand.Uint64()
	for n := range 2 {
		pattern := fmt.Sprintf("events-chaos.%x.%d", unique, n)
		stream, err := clients.Open(ctx, a.Proxy+script.ConnectPath+"?"+script.Query(exchange, pattern), clients.Options{})
		if err != nil {
			return now, err
		}
		defer stream.Close()
		if err := stream.Wait(ctx, isReady); err != nil {
			return now, err
		}
	}
	return a.Snapshot(ctx)
}

// isReady returns nil for a stream that is.
func isReady(r clients.Received) error {
	if r.Ready() {
		return nil
	}
	if told, ended, err := r.Failure(); ended && err == nil {
		return fmt.Errorf("a stream is told %s: %s", told.Code, told.Message)
	}
	return errors.New("a stream is not ready")
}

// modeIn compares a tree with what it was before two streams came: a queue of their own needs no feed,
// and one for all has had a feed already, or has one now.
func modeIn(before, now actors.Snapshot) Mode {
	fed := slices.ContainsFunc(now.Streams, func(s actors.StreamState) bool {
		return s.Fed && !slices.ContainsFunc(before.Streams, func(old actors.StreamState) bool { return old.ID == s.ID })
	})
	switch {
	case !fed:
		return Dedicated
	case len(feedsBeside(before, now)) > 1:
		return Shared
	}
	return Routed
}

// feedsBeside returns the ids of feeds that were not there before.
func feedsBeside(before, now actors.Snapshot) (list []string) {
	for _, a := range now.Actors {
		known := slices.ContainsFunc(before.Actors, func(old actors.Actor) bool { return old.ID == a.ID })
		if a.Role == actors.RoleFeed && !known {
			list = append(list, a.ID)
		}
	}
	return list
}

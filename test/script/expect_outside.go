package script

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
)

// expectBroker waits until the broker holds so much of the proxy's, or nothing
// (clean): counted there, not here.
//
//	expect broker clean
//	expect broker 2 queues
//	expect broker 1 binding
func (w *world) expectBroker(words []string) error {
	want, err := parseCensus(words)
	if err != nil {
		return err
	}
	ctx, cancel := w.unhurried()
	defer cancel()
	return eventually(ctx, func() error {
		have, err := w.broker.Census(ctx)
		if err != nil {
			return fmt.Errorf("count what the broker holds: %w", err)
		}
		return want(have)
	})
}

// parseCensus reads "clean", or a number and what is counted.
func parseCensus(words []string) (func(Census) error, error) {
	if slices.Equal(words, []string{"clean"}) {
		return clean, nil
	}
	n, err := strconv.Atoi(words[0])
	if err != nil || len(words) != 2 {
		return nil, errors.New("usage: expect broker clean|N queues|N bindings")
	}
	switch strings.TrimSuffix(words[1], "s") {
	case "queue":
	case "binding":
		return func(have Census) error {
			if have.Bindings != n {
				return fmt.Errorf("the broker has %+v, not %d bindings", have, n)
			}
			return nil
		}, nil
	default:
		return nil, errors.New("usage: expect broker clean|N queues|N bindings")
	}
	return func(have Census) error {
		if have.Queues-have.DeadLetters != n || have.Consumers-have.DeadLetters != n {
			return fmt.Errorf("the broker has %+v, not %d queues of streams with a consumer each", have, n)
		}
		return nil
	}, nil
}

func clean(have Census) error {
	if have != (Census{}) {
		return fmt.Errorf("the broker still has %+v", have)
	}
	return nil
}

// expectProcess waits until the proxy holds nothing for any stream; until so many
// actors have been restarted; or until so many streams have ended with a code,
// which is ClientGone where the client left first. All counts are relative to the
// script's beginning: a proxy that was attached has a past.
//
//	expect process clean
//	expect process 0 restarts
//	expect process 1 SlowConsumer
func (w *world) expectProcess(words []string) error {
	want, err := parseHoldings(words)
	if err != nil {
		return err
	}
	proxy, err := w.running()
	if err != nil {
		return err
	}
	ctx, cancel := w.bounded()
	defer cancel()
	return eventually(ctx, func() error {
		snapshot, err := proxy.Snapshot(ctx)
		if err != nil {
			return err
		}
		unclosed, err := proxy.Unclosed(ctx)
		if err != nil {
			return err
		}
		return want(since(w.before, snapshot), unclosed-w.before.Stats.Workers)
	})
}

// parseHoldings reads "clean", or a number and what is counted.
func parseHoldings(words []string) (func(actors.Snapshot, int64) error, error) {
	if slices.Equal(words, []string{"clean"}) {
		return holdsNothing, nil
	}
	n, err := strconv.ParseInt(words[0], 10, 64)
	if err != nil || len(words) != 2 {
		return nil, errors.New("usage: expect process clean|N restarts|N CODE")
	}
	what := words[1]
	if code := actors.Code(what); code == actors.ClientGone || slices.Contains(actors.Codes, code) {
		return func(s actors.Snapshot, _ int64) error {
			if s.Stats.Ended[code] != n {
				return fmt.Errorf("%d streams have ended with %s, not %d: %v", s.Stats.Ended[code], code, n, s.Stats.Ended)
			}
			return nil
		}, nil
	}
	if what != "restarts" {
		return nil, fmt.Errorf("neither restarts nor a code: %s", what)
	}
	return func(s actors.Snapshot, _ int64) error {
		if s.Stats.Restarts != n {
			return fmt.Errorf("%d actors have been restarted, not %d", s.Stats.Restarts, n)
		}
		return nil
	}, nil
}

// holdsNothing returns an error that names what a proxy still holds for streams, or nil.
func holdsNothing(s actors.Snapshot, unclosed int64) error {
	if t := s.Stats; t.Streams != 0 || t.Leases != 0 || t.Waiting != 0 || t.Workers != 0 {
		return fmt.Errorf("the process still has %d streams, %d channels lent, %d waiting, %d workers",
			t.Streams, t.Leases, t.Waiting, t.Workers)
	}
	for _, a := range s.Actors {
		if a.Stream != "" {
			return fmt.Errorf("the process still has a %s of stream %s: %s", a.Role, a.Stream, a.State)
		}
	}
	if unclosed != 0 {
		return fmt.Errorf("%d AMQP channels were opened and not closed", unclosed)
	}
	return nil
}

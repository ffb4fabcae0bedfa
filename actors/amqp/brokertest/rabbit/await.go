package rabbit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// CleanWithin is how long a stream's things may stay on the broker after
	// its end.
	CleanWithin = 15 * time.Second

	// pollEvery is how often a node is asked while something is awaited; a
	// broker sends no notification when a queue is gone.
	pollEvery = 20 * time.Millisecond

	// answerWithin is how long one question of Await may wait for a process of the
	// broker that is busy, or ends.
	answerWithin = 5 * time.Second
)

// Await returns the first snapshot for which condition holds; it fails with
// ctx's end; its error then names what was there at last. A question that the
// node does not answer within [answerWithin] is asked again.
func (n *Node) Await(ctx context.Context, condition func(Snapshot) bool) (Snapshot, error) {
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	var last Snapshot
	for seen := false; ; {
		s, err := n.ask(ctx)
		switch {
		case err == nil && condition(s):
			return s, nil
		case err == nil:
			last, seen = s, true
		case !errors.Is(err, errNoAnswer) && !errors.Is(err, context.DeadlineExceeded): // of a plugin
			return last, err
		}
		select {
		case <-ticks.C:
			continue
		case <-ctx.Done():
		}
		if !seen {
			return last, err
		}
		return last, fmt.Errorf("rabbit: still not so: %+v: %w", last, context.Cause(ctx))
	}
}

func (n *Node) ask(ctx context.Context) (Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return n.Snapshot(ctx)
}

// Clean returns once nothing is left of the streams whose queues begin with
// prefix, queue/<namespace>/…: no queue, no consumer, no exchange of theirs below
// exchange/<namespace>/, and no more channels than the test keeps for itself. It
// waits for them for CleanWithin.
func (n *Node) Clean(ctx context.Context, prefix string, channels int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, CleanWithin, fmt.Errorf("not clean within %s", CleanWithin))
	defer cancel()
	_, err := n.Await(ctx, func(s Snapshot) bool {
		return s.QueuesOf(prefix) == 0 && s.exchangesOf(prefix) == 0 && s.Consumers == 0 && s.Channels <= channels
	})
	return err
}

// exchangesOf counts the exchanges that those have made whose queues begin with prefix.
func (s Snapshot) exchangesOf(prefix string) int {
	_, user, _ := strings.Cut(prefix, "/")
	namespace, _, found := strings.Cut(user, "/")
	if found {
		namespace += "/"
	}
	return OwnExchanges(s.Exchanges, "exchange/"+namespace)
}

// OwnExchanges counts the exchanges whose names begin with prefix and that a proxy makes: for what its
// queues drop, and for canaries.
func OwnExchanges(names []string, prefix string) (count int) {
	for _, name := range names {
		own := strings.Contains(name, "/dropped/") || strings.Contains(name, "/canary/")
		if own && strings.HasPrefix(name, prefix) {
			count++
		}
	}
	return count
}

// QueuesOf counts the queues whose names begin with prefix.
func (s Snapshot) QueuesOf(prefix string) int {
	count := 0
	for _, name := range s.Queues {
		if strings.HasPrefix(name, prefix) {
			count++
		}
	}
	return count
}

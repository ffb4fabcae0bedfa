package rabbit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

const (
	// CleanWithin is how long a stream's things may stay on the broker after its end, without
	// becoming less: a broker that has much to delete, on a busy machine, needs longer. RabbitMQ 4.3
	// deletes one queue after another, each by a write of its own to its metadata store.
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
	return await(ctx, n.Snapshot, condition)
}

func await(ctx context.Context, snapshot func(context.Context) (Snapshot, error), condition func(Snapshot) bool) (Snapshot, error) {
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	var last Snapshot
	for seen := false; ; {
		s, err := ask(ctx, snapshot)
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

func ask(ctx context.Context, snapshot func(context.Context) (Snapshot, error)) (Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return snapshot(ctx)
}

// Clean returns once nothing is left of the streams whose queues begin with
// prefix, queue/<namespace>/…: no queue, no consumer, no exchange of theirs below
// exchange/<namespace>/, and no more channels than the test keeps for itself. It
// waits for them as long as they become less, and then for [CleanWithin].
func (n *Node) Clean(ctx context.Context, prefix string, channels int) error {
	return vanish(ctx, n.Snapshot, func(s Snapshot) int {
		return s.QueuesOf(prefix) + s.exchangesOf(prefix) + s.Consumers + max(s.Channels-channels, 0)
	})
}

// Clean returns once nothing is left of its user: no connection, channel, queue or consumer, and no
// exchange that a proxy makes. It waits as Node.Clean does.
func (v *VHost) Clean(ctx context.Context) error {
	return vanish(ctx, v.Snapshot, func(s Snapshot) int {
		return len(s.Queues) + s.Consumers + s.Channels + s.Connections + OwnExchanges(s.Exchanges, "exchange/")
	})
}

// vanish waits until nothing is left, as long as it becomes less, and then for CleanWithin.
func vanish(ctx context.Context, snapshot func(context.Context) (Snapshot, error), left func(Snapshot) int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(CleanWithin, func() { cancel(fmt.Errorf("nothing has gone for %s", CleanWithin)) })
	defer stalled.Stop()
	least := math.MaxInt
	_, err := await(ctx, snapshot, func(s Snapshot) bool {
		n := left(s)
		if n < least {
			least = n
			stalled.Reset(CleanWithin)
		}
		return n == 0
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

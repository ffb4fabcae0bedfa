package faults

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ExchangesRemade has the broker delete its exchanges and make them again, without their
// bindings: it tells no consumer, and streams that were bound are deaf.
var ExchangesRemade = Fault{"remake-exchanges", func(ctx context.Context, s Site) error {
	return s.VHost.RemakeExchanges(ctx)
}, unbound}

// unboundTime is how long it is looked for: bindings that are repeated hide it.
const unboundTime = 5 * time.Second

// unbound is a sign that the broker has queues and none of their bindings.
func unbound(ctx context.Context, s Site) (Sign, error) {
	before, err := s.VHost.Snapshot(ctx)
	if err == nil && before.Bindings == 0 {
		err = errors.New("the broker lists no bindings")
	}
	if err != nil {
		return nil, err
	}
	return Kept(func(ctx context.Context) (string, error) {
		now, err := s.VHost.Snapshot(ctx)
		if err != nil || now.Bindings > 0 || len(now.Queues) == 0 {
			return "", err
		}
		return fmt.Sprintf("the broker lists %d queues and no binding, %d before", len(now.Queues), before.Bindings), nil
	}, unboundTime), nil
}

package faults

import (
	"context"
	"errors"
	"fmt"
)

// FrozenCall makes the next call that binds a queue vanish on its way to the broker: it is
// never answered, as where a node of a cluster is frozen. All else passes. It is over when
// that call has come.
var FrozenCall = Fault{"frozen-call", func(_ context.Context, s Site) error {
	s.Calls.SwallowNextBind(true)
	return nil
}, linkRetired}

// linkRetired is a sign that the proxy has taken a link out of use, by its own account.
func linkRetired(ctx context.Context, s Site) (Sign, error) {
	if s.Proxy == nil {
		return nil, errors.New("no proxy runs yet whose call could freeze")
	}
	before, err := s.Proxy.Snapshot(ctx)
	return func(ctx context.Context) (string, error) {
		now, err := s.Proxy.Snapshot(ctx)
		if n := now.Stats.LinksRetired - before.Stats.LinksRetired; err == nil && n > 0 {
			return fmt.Sprintf("the proxy counts %d links retired", n), nil
		}
		return "", err
	}, err
}

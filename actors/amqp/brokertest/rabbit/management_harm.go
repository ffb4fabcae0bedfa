package rabbit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// CloseConnections ends the connections of a name in a virtual host, in order
// (320). The broker may know of a new one only StatisticsLag later: it waits so
// long for one, and fails where there is none.
func (m *Management) CloseConnections(ctx context.Context, vhost, connection string) error {
	of := scope{vhost: vhost, connection: connection}
	var peers map[string]bool
	err := untilKnown(ctx, func(ctx context.Context) (done bool, err error) {
		peers, err = m.peers(ctx, of)
		return len(peers) > 0, err
	})
	if errors.Is(err, errNotKnown) {
		return fmt.Errorf("rabbit: there is no connection %q", connection)
	}
	if err != nil {
		return err
	}
	return m.close(ctx, of, peers)
}

func (m *Management) closeConnections(ctx context.Context, of scope) error {
	peers, err := m.peers(ctx, of)
	if err != nil {
		return err
	}
	return m.close(ctx, of, peers)
}

// close ends connections and sees them gone. One that the statistics do not have
// yet cannot be ended: that is tried again.
func (m *Management) close(ctx context.Context, of scope, peers map[string]bool) error {
	return untilKnown(ctx, func(ctx context.Context) (bool, error) {
		for name := range peers {
			if err := m.remove(ctx, "connections/", name); err != nil {
				return false, err
			}
		}
		now, err := m.peers(ctx, of)
		for name := range peers {
			if !now[name] {
				delete(peers, name)
			}
		}
		return len(peers) == 0, err
	})
}

var errNotKnown = errors.New("rabbit: management: it has not come to know")

// untilKnown asks again until it is done, for as long as statistics may lag.
func untilKnown(ctx context.Context, ask func(context.Context) (done bool, err error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*StatisticsLag, errNotKnown)
	defer cancel()
	for {
		done, err := ask(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

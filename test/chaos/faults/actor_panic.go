package faults

import (
	"context"
	"fmt"

	"github.com/taskcluster/events-proxy/actors"
)

// ActorPanic makes an actor fail as a defect would, or a worker; stream is the
// one that it belongs to, "" for the actors that are there once. The proxy
// must have been started with --chaos.
func ActorPanic(role actors.Role, stream string) Fault {
	return Fault{"crash", func(ctx context.Context, s Site) error { return s.Proxy.Crash(ctx, role, stream) }, failed(role, stream)}
}

// failed is a sign that an actor has failed: its stream is among those that the
// proxy lists as ended, or its supervisor has counted a restart.
func failed(role actors.Role, stream string) watch {
	return func(ctx context.Context, s Site) (Sign, error) {
		before, err := s.Proxy.Snapshot(ctx)
		last := int64(0) // end
		if len(before.Ends) > 0 {
			last = before.Ends[0].Number
		}
		return func(ctx context.Context) (string, error) {
			now, err := s.Proxy.Snapshot(ctx)
			if err != nil {
				return "", err
			}
			if failures := now.Stats.Failures - before.Stats.Failures; failures == 0 {
				return "", nil
			}
			if stream != "" {
				return ended(ctx, s.Proxy, stream, last)
			}
			if n, old := restarts(now, role), restarts(before, role); n > old {
				return fmt.Sprintf("%s has been restarted %d times, %d before", role, n, old), nil
			}
			return "", nil
		}, err
	}
}

// ended looks for a stream among those that the proxy lists as ended, after the one of a number: none
// is missed, however many end with it.
func ended(ctx context.Context, proxy Crasher, stream string, after int64) (string, error) {
	ends, err := proxy.Ends(ctx, after)
	for _, end := range ends {
		if end.ID == stream {
			return "the proxy lists the stream as ended: " + string(end.Code), nil
		}
	}
	return "", err
}

func restarts(now actors.Snapshot, role actors.Role) (count int64) {
	for _, a := range now.Actors {
		if a.Role == role {
			count += a.Restarts
		}
	}
	return count
}

package faults

import (
	"context"

	"github.com/taskcluster/events-proxy/actors"
)

// ActorPanic makes an actor fail as a defect would, or a worker; stream is the
// one that it belongs to, "" for the actors that are there once. The proxy
// must have been started with --chaos.
func ActorPanic(role actors.Role, stream string) Fault {
	return Fault{"crash", func(ctx context.Context, s Site) error { return s.Proxy.Crash(ctx, role, stream) }}
}

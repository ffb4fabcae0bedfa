package faults

import (
	"context"

	"github.com/taskcluster/events-proxy/test/clients"
)

// SlowReader makes clients stop reading: a tab that hangs. Their sockets fill,
// and then the proxy's writes block. It lasts until Resumed.
var SlowReader = Fault{"stall", each(func(s *clients.Stream) error { s.Stall(); return nil }), unread}

// Resumed makes clients that stalled or trickled read on.
var Resumed = Fault{"resume", each(func(s *clients.Stream) error { s.Resume(); return nil }), nil}

// each does something to every client of a site, and stops at the first error.
func each(do func(*clients.Stream) error) func(context.Context, Site) error {
	return func(_ context.Context, s Site) error {
		for _, client := range s.Clients {
			if err := do(client); err != nil {
				return err
			}
		}
		return nil
	}
}

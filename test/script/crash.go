package script

import (
	"fmt"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// crash plants a panic: in the connection, consumer or worker behind streams, or
// in one of the actors that are there once.
//
//	crash worker ada
//	crash broker
func crash(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) == 1 && slices.Contains([]string{"broker", "connections", "feeds"}, args[0]) {
		return w.crash(actors.Role(args[0]), "")
	}
	if len(args) != 2 || !slices.Contains([]string{"connection", "consumer", "worker"}, args[0]) {
		return fmt.Errorf("usage: crash connection|consumer|worker NAME, or crash broker|connections|feeds")
	}
	crashing, err := w.named(args[1])
	if err != nil {
		return err
	}
	for _, s := range crashing {
		if s.id == "" {
			return fmt.Errorf("the proxy has admitted no such stream, or it was one of -count")
		}
		if err := w.crash(actors.Role(args[0]), s.id); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) crash(role actors.Role, stream string) error {
	proxy, err := w.running()
	if err != nil {
		return err
	}
	ctx, cancel := w.bounded()
	defer cancel()
	return w.harm(ctx, "crash "+string(role), faultAt(faults.ActorPanic(role, stream), faults.Site{Proxy: proxy}))
}

package script

import (
	"context"
	"fmt"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/clients"
)

// misbehave makes the command of a fault of clients, such as stall: it befalls
// the streams that are named.
func misbehave(fault faults.Fault) command {
	return func(w *world, _ *testscript.TestScript, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("the name of a stream is wanted, nothing else: %q", args)
		}
		found, err := w.named(args[0])
		if err != nil {
			return err
		}
		ctx, cancel := w.bounded()
		defer cancel()
		return w.harm(ctx, fault.Name+" "+args[0], faultAt(fault, faults.Site{Clients: sockets(found)}))
	}
}

// faultAt is a fault that befalls a site.
func faultAt(fault faults.Fault, site faults.Site) Fault {
	f := Fault{Happen: func(ctx context.Context) error { return fault.Happen(ctx, site) }}
	if fault.Watch != nil {
		f.Watch = func(ctx context.Context) (faults.Sign, error) { return fault.Watch(ctx, site) }
	}
	return f
}

func sockets(streams []*stream) []*clients.Stream {
	list := make([]*clients.Stream, len(streams))
	for i, s := range streams {
		list[i] = s.Stream
	}
	return list
}

package script

import (
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
		return fault.Happen(ctx, faults.Site{Clients: sockets(found)})
	}
}

func sockets(streams []*stream) []*clients.Stream {
	list := make([]*clients.Stream, len(streams))
	for i, s := range streams {
		list[i] = s.Stream
	}
	return list
}

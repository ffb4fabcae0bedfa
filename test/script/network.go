package script

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// harmNetwork is the command network: a fault happens on the way from the
// clients to the proxy. Streams that were opened before the first such line go
// another way, and do not notice.
//
//	network slicer
//	network heal
func harmNetwork(w *world, _ *testscript.TestScript, args []string) error {
	known := map[string]faults.Fault{}
	for _, fault := range faults.OfNetwork() {
		known[fault.Name] = fault
	}
	if len(args) != 1 || known[args[0]].Happen == nil {
		return fmt.Errorf("usage: network FAULT; %s", among(args, slices.Collect(maps.Keys(known))))
	}
	if w.gate == nil {
		proxy, err := w.running()
		if err != nil {
			return err
		}
		if w.gate, err = faults.NewGate(strings.TrimPrefix(proxy.URL(), "http://")); err != nil {
			return err
		}
	}
	ctx, cancel := w.bounded()
	defer cancel()
	return w.harm(ctx, "network "+args[0], faultAt(known[args[0]], faults.Site{Gate: w.gate}))
}

// entrance is where clients find the proxy: behind the gate, where there is one.
func (w *world) entrance(p Proxy) string {
	if w.gate != nil {
		return "http://" + w.gate.Address()
	}
	return p.URL()
}

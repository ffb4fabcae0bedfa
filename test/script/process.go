package script

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// harmProcess is the command process: a fault happens to the proxy's process.
//
//	process pause
//	process continue
//	process log-unread
//	process log-read
func harmProcess(w *world, _ *testscript.TestScript, args []string) error {
	known := map[string]faults.Fault{}
	for _, fault := range faults.OfProcess() {
		known[fault.Name] = fault
	}
	if len(args) != 1 || known[args[0]].Happen == nil {
		return fmt.Errorf("usage: process FAULT; %s", among(args, slices.Collect(maps.Keys(known))))
	}
	proxy, err := w.running()
	if err != nil {
		return err
	}
	process, ok := proxy.(faults.Process)
	if !ok {
		return notHere("process %s needs a process of the run's own", args[0])
	}
	ctx, cancel := w.bounded()
	defer cancel()
	return w.harm(ctx, "process "+args[0], faultAt(known[args[0]], faults.Site{Process: process}))
}

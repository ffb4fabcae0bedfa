package script

import (
	"fmt"
	"maps"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// befall is the command broker: a fault happens to the broker. Our publisher is
// closed first, so that it is never the one that notices.
func befall(w *world, _ *testscript.TestScript, args []string) error {
	known := w.broker.Faults()
	if len(args) != 1 {
		return fmt.Errorf("usage: broker FAULT; %s", among(args, slices.Collect(maps.Keys(known))))
	}
	fault, ok := known[args[0]]
	if !ok {
		return w.noFault("broker", args[0], slices.Collect(maps.Keys(known)))
	}
	w.stopPublishing()
	if b, ok := as[interface{ Serves(Proxy) }](w.broker); ok && w.proxy != nil {
		b.Serves(w.proxy)
	}
	ctx, cancel := w.unhurried()
	defer cancel()
	return w.harm(ctx, "broker "+args[0], fault)
}

// noFault distinguishes a fault that cannot happen here from a word that is no fault.
func (w *world) noFault(command, word string, here []string) error {
	for _, fault := range faults.All() {
		if fault.Name == word {
			return notHere("%s %s needs what this run does not have: the broker's process, or the way to it", command, word)
		}
	}
	return fmt.Errorf("no fault is called %s; %s", word, among([]string{word}, here))
}

package script

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// befall is the command broker: a fault happens to the broker. Our publisher is
// closed first, so that it is never the one that notices. On a cluster a fault of
// one node is followed by the node's number.
//
//	broker link-cut
//	broker isolate 2
func befall(w *world, _ *testscript.TestScript, args []string) error {
	if b, ok := as[interface{ Serves(Proxy) }](w.broker); ok && w.proxy != nil {
		b.Serves(w.proxy)
	}
	known := w.broker.Faults()
	word := strings.Join(args, " ") // a fault of one node has its number behind it
	if len(args) == 0 || len(args) > 2 {
		return fmt.Errorf("usage: broker FAULT; %s", among(args, slices.Collect(maps.Keys(known))))
	}
	fault, ok := known[word]
	if !ok {
		return w.noFault("broker", word, slices.Collect(maps.Keys(known)))
	}
	if word == faults.FrozenCall.Name && w.settings.Routed != nil {
		return notHere("broker %s needs streams that make calls, and those of routed exchanges make none", word)
	}
	w.stopPublishing()
	ctx, cancel := w.unhurried()
	defer cancel()
	return w.harm(ctx, "broker "+word, fault)
}

// noFault distinguishes a fault that cannot happen here from a word that is no fault.
func (w *world) noFault(command, word string, here []string) error {
	name, _, _ := strings.Cut(word, " ")
	for _, fault := range faults.All() {
		if fault.Name == name {
			return notHere("%s %s needs what this run does not have: the broker's process, the way to it, or such a node", command, word)
		}
	}
	return fmt.Errorf("no fault is called %s; %s", word, among([]string{word}, here))
}

package script

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// befall is the command broker: a fault happens to the broker. Our publisher is
// closed first, so that it is never the one that notices.
func befall(w *world, _ *testscript.TestScript, args []string) error {
	faults := w.broker.Faults()
	if len(args) != 1 || faults[args[0]] == nil {
		known := slices.Sorted(maps.Keys(faults))
		return fmt.Errorf("usage: broker %s", strings.Join(known, "|"))
	}
	w.stopPublishing()
	ctx, cancel := w.unhurried()
	defer cancel()
	return faults[args[0]](ctx)
}

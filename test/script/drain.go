package script

import (
	"fmt"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// drain ends every stream with ServerShutdown, spread over a time, as SIGTERM
// does, and waits until the proxy has let go of all of them.
func drain(w *world, _ *testscript.TestScript, args []string) error {
	var spread time.Duration
	if len(args) > 1 {
		return fmt.Errorf("usage: drain [SPREAD]")
	}
	if len(args) == 1 {
		var err error
		if spread, err = time.ParseDuration(args[0]); err != nil {
			return err
		}
	}
	proxy, err := w.running()
	if err != nil {
		return err
	}
	ctx, cancel := w.bounded()
	defer cancel()
	return proxy.Drain(ctx, spread)
}

package script

import (
	"fmt"

	"github.com/rogpeppe/go-internal/testscript"
)

// declare makes an exchange.
func declare(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: declare EXCHANGE topic|direct|fanout")
	}
	ctx, cancel := w.bounded()
	defer cancel()
	return w.declare(ctx, args[0], args[1])
}

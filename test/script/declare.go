package script

import (
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// SecretExchanges begins the names of exchanges that no broker of scripts lets the proxy read.
const SecretExchanges = "exchange/secret/"

// declare makes an exchange. One whose name begins with SecretExchanges is not the proxy's to read:
// a broker that others run, and of whose rights nothing is known, is none for such a script.
func declare(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: declare EXCHANGE topic|direct|fanout")
	}
	if b, ok := as[interface{ OfOthers() bool }](w.broker); ok && b.OfOthers() && strings.HasPrefix(args[0], SecretExchanges) {
		return notHere("declare %s needs a broker that does not let the proxy read it", args[0])
	}
	ctx, cancel := w.bounded()
	defer cancel()
	return w.declare(ctx, args[0], args[1])
}

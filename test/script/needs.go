package script

import (
	"context"
	"errors"

	"github.com/rogpeppe/go-internal/testscript"
)

// needs ends the script where the run does not have what it is about: a cluster whose nodes pause
// when a partition leaves them alone.
func needs(w *world, _ *testscript.TestScript, args []string) error {
	if len(args) != 1 || args[0] != "pauses" {
		return errors.New("usage: needs pauses")
	}
	cluster, is := as[interface {
		Pauses(context.Context) (bool, error)
	}](w.broker)
	if !is {
		return notHere("needs pauses: the broker is no cluster of the run's own")
	}
	ctx, cancel := w.bounded()
	defer cancel()
	if pauses, err := cluster.Pauses(ctx); err != nil || pauses {
		return err
	}
	return notHere("needs pauses: a node of this cluster that is alone goes on")
}

package script

import (
	"errors"
	"fmt"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// storm opens streams at a rate for a time, and leaves each at once. Every
// answer must be a stream that keeps the contract, or a refusal that states when
// to come back; with -refused some must be that, without it none may.
//
//	storm -rate 200 -for 2s exchange/tc/task '#'
func storm(w *world, ts *testscript.TestScript, args []string) error {
	var c faults.ConnectStorm
	set := flags("storm")
	set.IntVar(&c.Rate, "rate", 100, "")
	set.DurationVar(&c.For, "for", time.Second, "")
	refused := set.Bool("refused", false, "")
	if err := set.Parse(args); err != nil {
		return err
	}
	if c.Rate < 1 || c.Rate > 10_000 || len(set.Args()) == 0 || len(set.Args())%2 != 0 {
		return errors.New("usage: storm [-rate N] [-for TIME] [-refused] EXCHANGE PATTERN…, with 1 to 10000 a second")
	}
	proxy, err := w.running()
	if err != nil {
		return err
	}
	c.URL = w.entrance(proxy) + ConnectPath + "?" + Query(set.Args()...)
	ctx, cancel := w.unhurried()
	defer cancel()
	if err := c.Fault().Happen(ctx, faults.Site{}); err != nil {
		return err
	}
	a := c.Answers()
	ts.Logf("%d streams, %d refused", a.Streams, a.Refused)
	if a.Streams == 0 || (a.Refused > 0) != *refused {
		return fmt.Errorf("the storm was answered with %d streams and %d refusals", a.Streams, a.Refused)
	}
	return nil
}

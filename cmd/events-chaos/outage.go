package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/random"
	"github.com/taskcluster/events-proxy/test/script"
)

// outage takes the broker's address away for a while. The proxy has to notice that it is back.
type outage struct {
	cut, heal script.Fault

	mu    sync.Mutex
	lacks error // what the last one waits for; nil: it is over
}

// unpluggedTime is long enough for a dial to fail, and for the next one to be put off.
const unpluggedTime = 3 * time.Second

// harm returns it as one that is drawn.
func (o *outage) harm() random.Harm {
	return random.Harm{
		Name: "broker unplugged", Does: "every connection to the broker is cut, and its address refuses new ones for " + unpluggedTime.String(),
		Every: 5 * unpluggedTime, Scope: random.Everyone, Codes: codesOf[faults.LinkCut.Name],
		Watch: func(ctx context.Context) (faults.Sign, error) {
			sign, err := o.cut.Watch(ctx)
			return faults.Kept(sign, unpluggedTime), err
		},
		Do: o.do, Over: func(context.Context, time.Time) error { o.mu.Lock(); defer o.mu.Unlock(); return o.lacks },
	}
}

func (o *outage) do(ctx context.Context, _ random.Victim) error {
	o.set(errors.New("the broker's address answers nothing"))
	err := o.cut.Happen(ctx)
	go func() { // ends after the time, or with the run
		select {
		case <-time.After(unpluggedTime):
		case <-ctx.Done():
		}
		o.set(o.heal.Happen(context.WithoutCancel(ctx)))
	}()
	return err
}

func (o *outage) set(lacks error) { o.mu.Lock(); defer o.mu.Unlock(); o.lacks = lacks }

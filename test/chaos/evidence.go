package chaos

import (
	"context"
	"fmt"
	"time"

	"github.com/taskcluster/events-proxy/test/script"
)

// nothingLeft is the evidence of a broker that was found clean.
const nothingLeft = "0 queues, 0 consumers, 0 bindings, 0 channels left"

// notLookedFor is the evidence where a script had no broker to close.
const notLookedFor = "not looked for"

// Evident is a broker that says what its Close, if without an error, has found.
type Evident interface{ Evidence() string }

// settle waits until the proxy has no more on the broker than before; else it
// says what is left.
func settle(ctx context.Context, census func(context.Context) (script.Census, error), before script.Census) error {
	ctx, cancel := context.WithTimeout(ctx, script.DefaultPatience)
	defer cancel()
	var left error // what the last answer has shown
	for {
		now, err := census(ctx)
		switch {
		case err != nil && left != nil && ctx.Err() != nil:
			return left // the last question was cut off
		case err != nil || !exceeds(now, before):
			return err
		}
		left = fmt.Errorf("left on the broker: %+v; before: %+v", now, before)
		select {
		case <-ctx.Done():
			return left
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func exceeds(now, before script.Census) bool {
	return now.Queues > before.Queues || now.Consumers > before.Consumers ||
		now.Bindings > before.Bindings || now.Channels > before.Channels || now.Exchanges > before.Exchanges
}

package faults

import "context"

// BrokerRestart stops the broker and starts it again.
var BrokerRestart = Fault{"restart", func(ctx context.Context, s Site) error { return s.Node.Restart(ctx) }, replaced}

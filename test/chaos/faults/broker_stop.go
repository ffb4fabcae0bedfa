package faults

import "context"

// BrokerStop ends the broker in an orderly way: it says goodbye to everybody.
var BrokerStop = Fault{"stop", func(ctx context.Context, s Site) error { return s.Node.Stop(ctx) }, refusing(nodeAddress)}

// BrokerStart starts it again.
var BrokerStart = Fault{"start", func(ctx context.Context, s Site) error { return s.Node.Start(ctx) }, nil}

package faults

import "context"

// BrokerFreeze stops the broker's process where it stands; its sockets stay
// open. Only heartbeats notice.
var BrokerFreeze = Fault{"freeze", func(_ context.Context, s Site) error { return s.Node.Freeze() }, stopped}

// BrokerThaw lets it go on.
var BrokerThaw = Fault{"thaw", func(_ context.Context, s Site) error { return s.Node.Thaw() }, nil}

package faults

import "context"

// BrokerKill ends the broker's process without a word, as SIGKILL and power
// cuts do. BrokerStart starts it again.
var BrokerKill = Fault{"kill", func(_ context.Context, s Site) error { return s.Node.Kill() }, refusing(nodeAddress)}

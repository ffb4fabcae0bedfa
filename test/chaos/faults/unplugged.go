package faults

import "context"

// Unplugged cuts every connection and refuses new ones: the broker's address
// answers no more, though the broker runs. It lasts until heal.
var Unplugged = Fault{"unplugged", func(_ context.Context, s Site) error {
	s.Gate.Shut()
	return nil
}, refusing(gateAddress)}

package faults

import (
	"context"
	"time"
)

// BlackHole swallows every byte between proxy and broker and ends nothing: a
// firewall that lost its state. Only heartbeats notice. It lasts until heal.
var BlackHole = Fault{"black-hole", func(_ context.Context, s Site) error {
	return s.Gate.Harm("timeout", map[string]any{"timeout": 0})
}, held(time.Second)}

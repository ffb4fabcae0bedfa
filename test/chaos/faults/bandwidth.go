package faults

import (
	"context"
	"time"
)

// Bandwidth lets 200 KB a second through each way. It lasts until heal.
var Bandwidth = Fault{"bandwidth", func(_ context.Context, s Site) error {
	return s.Gate.Harm("bandwidth", map[string]any{"rate": 200})
}, held(80 * time.Millisecond)}

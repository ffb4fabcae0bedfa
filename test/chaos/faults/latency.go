package faults

import (
	"context"
	"time"
)

// Latency delays every packet by 100 to 200 ms each way: a broker on another
// continent, on a bad day. It lasts until heal.
var Latency = Fault{"latency", func(_ context.Context, s Site) error {
	return s.Gate.Harm("latency", map[string]any{"latency": 150, "jitter": 50})
}, held(80 * time.Millisecond)}

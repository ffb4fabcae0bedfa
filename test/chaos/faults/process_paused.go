package faults

import (
	"context"
	"time"
)

// ProcessPaused stops the proxy's process where it stands, as a laptop's lid or a busy host
// does. It lasts until ProcessContinued.
var ProcessPaused = Fault{"pause", func(_ context.Context, s Site) error { return s.Process.Pause() }, suspended}

// ProcessContinued lets it go on.
var ProcessContinued = Fault{"continue", func(_ context.Context, s Site) error { return s.Process.Continue() }, nil}

// pauseSeen is how long the sign of a pause is looked for: a process that goes on shows none.
const pauseSeen = 5 * time.Second

// suspended is a sign that the kernel has stopped the proxy's process.
func suspended(_ context.Context, s Site) (Sign, error) {
	return Kept(func(context.Context) (string, error) {
		if paused, err := s.Process.IsPaused(); err != nil || !paused {
			return "", err
		}
		return "the kernel had stopped the proxy's process", nil
	}, pauseSeen), nil
}

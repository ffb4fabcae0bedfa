package faults

import "context"

// Slicer cuts what passes into pieces of some forty bytes, so that no frame
// arrives in one read. It lasts until heal.
var Slicer = Fault{"slicer", func(_ context.Context, s Site) error {
	return s.Gate.Harm("slicer", map[string]any{"average_size": 40, "size_variation": 20, "delay": 10})
}, sliced}

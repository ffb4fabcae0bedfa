package faults

import "context"

// resetAfter is how much still passes, in bytes: enough for the beginning of a
// frame, not for the end of a larger one.
const resetAfter = 1000

// Reset lets a little more through and then ends every connection, in the
// middle of a frame where one is longer: what arrived must not be taken for
// whole. It lasts until heal.
var Reset = Fault{"reset", func(_ context.Context, s Site) error {
	return s.Gate.Harm("limit_data", map[string]any{"bytes": resetAfter})
}, cut}

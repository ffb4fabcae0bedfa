package faults

import "context"

// LinkCut closes the connections between proxy and broker, on both sides, and
// lets new ones through: a switch that forgot its table.
var LinkCut = Fault{"link-cut", func(_ context.Context, s Site) error {
	s.Gate.Shut()
	return s.Gate.Open()
}, cut}

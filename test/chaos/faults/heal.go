package faults

import "context"

// Heal ends every fault of the network.
var Heal = Fault{"heal", func(ctx context.Context, s Site) error { return s.Gate.Heal(ctx) }, nil}

package faults

import "context"

// LinksDropped has the broker close the proxy's connections, as an
// administrator does.
var LinksDropped = Fault{"drop-links", func(ctx context.Context, s Site) error { return s.VHost.CloseConnections(ctx) }, gone("connections", connections)}

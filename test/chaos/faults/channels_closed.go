package faults

import "context"

// ChannelsClosed has the broker close every channel and keep the connections.
var ChannelsClosed = Fault{"close-channels", func(ctx context.Context, s Site) error { return s.VHost.CloseChannels(ctx) }, gone("channels", channels)}

package faults

import "context"

// QueuesDeleted removes the proxy's queues behind its back, as Pulse's guardian
// does with those that grow too long.
var QueuesDeleted = Fault{"delete-queues", func(ctx context.Context, s Site) error { return s.VHost.DeleteQueues(ctx) }, gone("queues", queues)}

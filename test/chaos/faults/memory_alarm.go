package faults

import "context"

// MemoryAlarm makes the broker believe that its memory is used up: it stops
// reading from connections that publish. Ours consume, and must go on.
var MemoryAlarm = Fault{"memory-alarm", func(ctx context.Context, s Site) error { return s.Node.SetMemoryAlarm(ctx, true) }, alarmed}

// MemoryAlarmOver ends it.
var MemoryAlarmOver = Fault{"memory-alarm-over", func(ctx context.Context, s Site) error { return s.Node.SetMemoryAlarm(ctx, false) }, nil}

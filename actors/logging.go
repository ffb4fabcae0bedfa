package actors

import (
	"context"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// newActorSystem returns an actor system that touches nothing global and whose own log lines are
// debug lines: what an operator should know, we log ourselves.
func newActorSystem(log *slog.Logger) *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(debugOnly{log.Handler()}) }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond),
	)
}

// debugOnly turns every line into a debug line.
type debugOnly struct{ slog.Handler }

// Enabled reports whether debug lines are logged, whatever the level.
func (d debugOnly) Enabled(ctx context.Context, _ slog.Level) bool {
	return d.Handler.Enabled(ctx, slog.LevelDebug)
}

// Handle writes the line as a debug line.
func (d debugOnly) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return d.Handler.Handle(ctx, r)
}

// WithAttrs returns a handler that does the same.
func (d debugOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return debugOnly{d.Handler.WithAttrs(attrs)}
}

// WithGroup returns a handler that does the same.
func (d debugOnly) WithGroup(name string) slog.Handler { return debugOnly{d.Handler.WithGroup(name)} }

package script

import (
	"context"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// Proxy is the proxy under test: one in this process, or one at a URL. What it
// cannot do it returns an error that names it.
type Proxy interface {
	// URL is where it listens, without a slash at the end.
	URL() string

	// Snapshot is its live tree.
	Snapshot(ctx context.Context) (actors.Snapshot, error)

	// Ends are the streams that have ended, after the end of a number, oldest first.
	Ends(ctx context.Context, after int64) ([]actors.StreamEnd, error)

	// Unclosed is how many AMQP channels it has opened and not closed.
	Unclosed(ctx context.Context) (int64, error)

	// Crash plants a panic in an actor of a stream, or in its worker.
	Crash(ctx context.Context, role actors.Role, stream string) error

	// Drain ends every stream and returns when the proxy has let go of them.
	Drain(ctx context.Context, spread time.Duration) error

	// Close ends it.
	Close() error
}

// identify finds out the id of the stream that was opened last;
// "" if it was admitted to none. Whatever other streams are new is noted too.
func (w *world) identify() (id string, err error) {
	ctx, cancel := w.bounded()
	defer cancel()
	snapshot, err := w.proxy.Snapshot(ctx)
	if err != nil {
		return "", err
	}
	for _, a := range snapshot.Actors {
		if a.Role == actors.RoleConnection && !w.known[a.Stream] {
			w.known[a.Stream] = true
			id = a.Stream
		}
	}
	return id, nil
}

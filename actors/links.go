package actors

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// links is the one owner of every AMQP connection of a broker actor's life: a link that is dialed
// while the actor stops must be closed by it. Its methods may be called concurrently.
type links struct {
	ctx    context.Context // ends with the actor's life
	cancel context.CancelFunc
	work   *sync.WaitGroup // the core's: dials, watchers, closes

	mu sync.Mutex
	up map[amqp.Link]struct{} // nil once all are closed
}

// linkCloseTimeout is how long a link's orderly end may take.
const linkCloseTimeout = 2 * time.Second

func newLinks(work *sync.WaitGroup) *links {
	ctx, cancel := context.WithCancel(context.Background())
	return &links{ctx: ctx, cancel: cancel, work: work, up: map[amqp.Link]struct{}{}}
}

// dial reaches the broker in a goroutine of its own, which calls report once; not at all where all
// links have been closed meanwhile.
func (l *links) dial(dialer amqp.Dialer, report func(amqp.Link, error)) {
	l.work.Go(func() {
		link, err := tryDial(l.ctx, dialer)
		if err == nil && !l.keep(link) {
			l.close(link, linkCloseTimeout)
			return
		}
		report(link, err)
	})
}

// tryDial returns a link that is guarded. A panic of a dialer is a failed try: in a goroutine of
// its own it would end the process.
func tryDial(ctx context.Context, dialer amqp.Dialer) (link amqp.Link, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("dial: panic: %v", r)
		}
	}()
	if link, err = dialer.Dial(ctx); err != nil {
		return nil, err
	}
	return guard(link)
}

func (l *links) keep(link amqp.Link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up == nil {
		return false
	}
	l.up[link] = struct{}{}
	return true
}

// watch calls report once, when the link is lost or closed. Its goroutine ends with the link, which
// ends with the actor at the latest.
func (l *links) watch(link amqp.Link, report func()) {
	l.work.Go(func() {
		<-link.Lost()
		l.forget(link)
		report()
	})
}

// forget is called when a link is closed, or will be by its caller.
func (l *links) forget(link amqp.Link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.up, link)
}

// probe opens a channel on a link and closes it, and reports whether that was answered. Its goroutine
// ends with the link at the latest.
func (l *links) probe(link amqp.Link, report func(answered bool)) {
	l.work.Go(func() {
		err := attempt(link, func(link amqp.Link) error {
			return onChannel(openChannel, link, func(amqp.Channel) error { return nil })
		})
		report(err == nil || amqp.KindOf(err) == amqp.Exhausted)
	})
}

// close ends one link, in a goroutine: it may have to wait for the broker, at most for patience.
func (l *links) close(link amqp.Link, patience time.Duration) {
	l.work.Go(func() {
		defer func() { _ = recover() }() // the link is given up, however its Close fares
		_ = link.Close(patience)
	})
}

// closeAll ends every link, and those still being dialed.
func (l *links) closeAll() {
	l.cancel()
	l.mu.Lock()
	up := l.up
	l.up = nil
	l.mu.Unlock()
	for link := range up {
		l.close(link, linkCloseTimeout)
	}
}

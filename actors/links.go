package actors

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// links is the one owner of every AMQP connection of a broker actor's life: a
// link that is dialed while the actor stops has nobody else to close it.
type links struct {
	ctx    context.Context // ends with the actor's life
	cancel context.CancelFunc
	work   *sync.WaitGroup // the System's: dials, watchers, closes

	mu   sync.Mutex
	open map[amqp.Link]struct{} // nil once closed
}

// closePatience is how long a link's orderly end may take.
const closePatience = 2 * time.Second

func newLinks(work *sync.WaitGroup) *links {
	ctx, cancel := context.WithCancel(context.Background())
	return &links{ctx: ctx, cancel: cancel, work: work, open: map[amqp.Link]struct{}{}}
}

// dial reaches the broker in a goroutine of its own, which reports once.
func (l *links) dial(dialer amqp.Dialer, report func(amqp.Link, error)) {
	l.work.Go(func() {
		link, err := tryDial(l.ctx, dialer)
		if err == nil && !l.keep(link) {
			l.close(link, closePatience)
			return
		}
		report(link, err)
	})
}

// tryDial makes a panic of a dialer a failed try: in a goroutine of its own it
// would end the process.
func tryDial(ctx context.Context, dialer amqp.Dialer) (link amqp.Link, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("dial: panic: %v", r)
		}
	}()
	return dialer.Dial(ctx)
}

func (l *links) keep(link amqp.Link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		return false
	}
	l.open[link] = struct{}{}
	return true
}

// watch reports the link's loss, once. Its goroutine ends with the link, which
// ends with the actor at the latest.
func (l *links) watch(link amqp.Link, report func()) {
	l.work.Go(func() {
		<-link.Lost()
		l.mu.Lock()
		delete(l.open, link)
		l.mu.Unlock()
		report()
	})
}

// close ends one link, in a goroutine: it may have to wait for the broker.
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
	open := l.open
	l.open = nil
	l.mu.Unlock()
	for link := range open {
		l.close(link, closePatience)
	}
}

package actors

import (
	"sync"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// leftovers are exchanges for what queues drop (drops.go) whose link has ended before they could be
// deleted. The broker actor has them deleted on another. Its methods may be called concurrently.
type leftovers struct {
	mu        sync.Mutex
	exchanges []string
}

// add keeps an exchange that could not be deleted, and why. One that the broker does not let this
// service delete is left to the broker's operator.
func (l *leftovers) add(exchange string, why error) {
	if amqp.KindOf(why) == amqp.Refused {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.exchanges = append(l.exchanges, exchange)
}

// take returns those that are left, and forgets them.
func (l *leftovers) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.exchanges
	l.exchanges = nil
	return taken
}

// any reports whether there are any.
func (l *leftovers) any() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.exchanges) > 0
}

// sweep deletes them on a link, and keeps those that it could not delete.
func (l *leftovers) sweep(link amqp.Link, opener *channelOpener) {
	release, err := hold(link)
	if err != nil {
		return
	}
	defer release()
	for _, exchange := range l.take() {
		err := opener.remove(link, func(channel amqp.Channel) error {
			return channel.(amqp.DeadLetters).DeleteDeadLetters(exchange, "")
		})
		if err != nil {
			l.add(exchange, err)
		}
	}
}

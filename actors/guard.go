package actors

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// guardedLink is a link as the actors hold it: whatever a broker of an embedding program does wrong
// is the error of one call. Two of them are comparable and different, even where the program's own
// links are neither, and Lost is always the same channel.
type guardedLink struct {
	link amqp.Link
	lost <-chan struct{}
	held holds
}

// guard returns the link that a dial returned, guarded, or an error where it is not usable.
func guard(link amqp.Link) (amqp.Link, error) {
	if v := reflect.ValueOf(link); link == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, errors.New("dial: the dialer returned neither a link nor an error")
	}
	g := &guardedLink{link: link}
	err := guarded("lost", func() error {
		g.lost = link.Lost()
		return nil
	})
	if err == nil && g.lost == nil {
		err = errors.New("lost: the link returned no channel")
	}
	if err != nil {
		_ = g.Close(0)
		return nil, fmt.Errorf("dial: %w", err)
	}
	return g, nil
}

// guarded calls do, and returns a panic of it as an error.
func guarded(op string, do func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: panic: %v", op, r)
		}
	}()
	return do()
}

// Channel is called by workers, which recover panics themselves.
func (g *guardedLink) Channel() (amqp.Channel, error) {
	channel, err := g.link.Channel()
	if err == nil && channel == nil {
		err = errors.New("open channel: the link returned neither a channel nor an error")
	}
	return channel, err
}

func (g *guardedLink) Lost() <-chan struct{} { return g.lost }

func (g *guardedLink) Err() error { return guarded("link", g.link.Err) }

// Close waits for what holds the link, too.
func (g *guardedLink) Close(patience time.Duration) error {
	begun := time.Now()
	g.held.end(patience)
	rest := max(patience-time.Since(begun), 0)
	return guarded("close", func() error { return g.link.Close(rest) })
}

// Capacity returns amqp.Capacity of the link, 0 where that panics.
func (g *guardedLink) Capacity() (n int) {
	_ = guarded("capacity", func() error {
		n = amqp.Capacity(g.link)
		return nil
	})
	return n
}

// Address returns amqp.Address of the link, empty where that panics.
func (g *guardedLink) Address() (address string) {
	_ = guarded("address", func() error {
		address = amqp.Address(g.link)
		return nil
	})
	return address
}

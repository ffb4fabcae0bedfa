package faults

import (
	"bytes"
	"context"
	"sync"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// counted counts what is asked of a broker.
type counted struct {
	amqp.Dialer
	mu       sync.Mutex
	links    int
	channels int
}

// Dial counts.
func (c *counted) Dial(ctx context.Context) (amqp.Link, error) {
	link, err := c.Dialer.Dial(ctx)
	if err != nil {
		return nil, err
	}
	c.count(&c.links)
	return countedLink{link, c}, nil
}

type countedLink struct {
	amqp.Link
	by *counted
}

func (l countedLink) Channel() (amqp.Channel, error) {
	l.by.count(&l.by.channels)
	return l.Link.Channel()
}

func (c *counted) count(what *int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*what++
}

func (c *counted) sofar() (links, channels int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.links, c.channels
}

// logbook keeps what the proxy logs.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

package amqp

import (
	"errors"
	"time"
)

// memoryLink is a link to a Memory. The broker's mu guards it; address never changes.
type memoryLink struct {
	broker   *Memory
	address  string
	lost     chan struct{}
	err      *Error // why it ended; nil after a call of Close
	gone     bool
	channels map[*memoryChannel]struct{}
}

var errClosedLink = errors.New("the link is closed")

func (l *memoryLink) Channel() (Channel, error) {
	if err := l.enter("open channel", ""); err != nil {
		return nil, err
	}
	defer l.broker.mu.Unlock()
	if len(l.channels) >= l.broker.options.ChannelsPerLink {
		return nil, &Error{Kind: Exhausted, Code: ChannelError, Op: "open channel", Cause: errors.New("channel id space exhausted")}
	}
	if most := l.broker.channels; most > 0 && l.broker.openChannels() >= most {
		err := &Error{Kind: LinkLost, Code: NotAllowed, Op: "open channel", Cause: errors.New("NOT_ALLOWED - user limit reached")}
		l.end(err)
		return nil, err
	}
	c := &memoryChannel{link: l}
	l.channels[c] = struct{}{}
	l.broker.change()
	return c, nil
}

// Capacity returns MemoryOptions.ChannelsPerLink.
func (l *memoryLink) Capacity() int { return l.broker.options.ChannelsPerLink }

// Address returns the node's address, one of MemoryOptions.Nodes.
func (l *memoryLink) Address() string { return l.address }

// enter begins an operation on the link: when it returns nil, the broker answers and its mu is
// held. Without an answer it waits until the link is lost.
func (l *memoryLink) enter(op, subject string) error {
	_ = l.broker.answering(l.lost) // the link's state is read below, whatever came first
	l.broker.mu.Lock()
	if l.gone {
		defer l.broker.mu.Unlock()
		return l.lostError(op, subject)
	}
	return nil
}

func (l *memoryLink) lostError(op, subject string) *Error {
	if l.err == nil {
		return linkLost(op, subject, errClosedLink)
	}
	return &Error{Kind: LinkLost, Code: l.err.Code, Op: op, Subject: subject, Cause: l.err.Cause}
}

func (l *memoryLink) Lost() <-chan struct{} { return l.lost }

func (l *memoryLink) Err() error {
	l.broker.mu.Lock()
	defer l.broker.mu.Unlock()
	if l.err == nil {
		return nil // not a nil *Error in an interface
	}
	return l.err
}

func (l *memoryLink) Close(patience time.Duration) error {
	var err error
	if l.broker.frozen.Load() { // wait as long as patience, then go without consent
		expired := make(chan struct{})
		defer time.AfterFunc(patience, func() { close(expired) }).Stop()
		err = l.broker.answering(expired)
	}
	l.broker.mu.Lock()
	defer l.broker.mu.Unlock()
	if err != nil && !l.gone {
		err = linkLost("close", "", err)
	} else {
		err = nil
	}
	l.end(nil)
	return err
}

// end removes the link with its channels and its exclusive queues. The broker's mu is held. A nil
// err stands for a call of Close.
func (l *memoryLink) end(err *Error) {
	if l.gone {
		return
	}
	l.gone = true
	l.err = err
	delete(l.broker.links, l)
	for c := range l.channels {
		c.end(l.lostError("link", ""))
	}
	for _, q := range l.broker.queues {
		if q.owner == l {
			l.broker.deleteQueue(q)
		}
	}
	close(l.lost)
	l.broker.change()
}

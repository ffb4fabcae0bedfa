package actors

import (
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// hold keeps us from closing a link while an exchange is made on it that nothing is bound to yet, or is
// deleted: the broker would keep it for ever. A Close with patience waits for it. The caller owes
// release; the error says that the link is being closed.
func hold(link amqp.Link) (release func(), err error) {
	g, guarded := link.(*guardedLink)
	switch {
	case !guarded:
		return func() {}, nil
	case !g.held.take():
		return nil, &amqp.Error{Kind: amqp.LinkLost, Op: "hold"}
	}
	return g.held.give, nil
}

// holds are those of one link. The zero value has none.
type holds struct {
	mu     sync.Mutex
	number int
	free   chan struct{} // nil while the link is not being closed; closed when the number is 0 after that
}

func (h *holds) take() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.free != nil {
		return false
	}
	h.number++
	return true
}

func (h *holds) give() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.number--; h.number == 0 && h.free != nil {
		close(h.free)
	}
}

// end lets none be taken any more, and waits until all are given back, at most for patience.
func (h *holds) end(patience time.Duration) {
	free := h.last()
	if patience <= 0 {
		return
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-free:
	case <-late.C:
	}
}

func (h *holds) last() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.free == nil {
		h.free = make(chan struct{})
		if h.number == 0 {
			close(h.free)
		}
	}
	return h.free
}

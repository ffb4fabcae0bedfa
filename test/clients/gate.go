package clients

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// gate lies between the answer's body and the decoder: it can be shut, so that
// so that nothing is read, or left ajar, and it remembers the last bytes that went through.
type gate struct {
	body io.ReadCloser

	mu     sync.Mutex
	shut   chan struct{} // nil while open; closed when it opens again
	ajar   chan struct{} // the same, for a byte a second
	closed bool
	last   []byte
}

// tailLength is how much of the answer's end is kept for the transcript.
const tailLength = 64

func (g *gate) open(body io.ReadCloser) { g.body = body }

func (g *gate) Read(p []byte) (int, error) {
	shut, ajar := g.barriers()
	if shut != nil {
		<-shut
	}
	if ajar != nil {
		select {
		case <-ajar:
		case <-time.After(time.Second):
			p = p[:min(1, len(p))]
		}
	}
	n, err := g.body.Read(p)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = append(g.last, p[max(0, n-tailLength):n]...)
	g.last = g.last[max(0, len(g.last)-tailLength):]
	return n, err
}

func (g *gate) barriers() (shut, ajar <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut, g.ajar
}

func (g *gate) stall() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut == nil && !g.closed {
		g.shut = make(chan struct{})
	}
}

func (g *gate) trickle() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ajar == nil && !g.closed {
		g.ajar = make(chan struct{})
	}
}

func (g *gate) resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut != nil {
		close(g.shut)
		g.shut = nil
	}
	if g.ajar != nil {
		close(g.ajar)
		g.ajar = nil
	}
}

func (g *gate) close() {
	g.resume()
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	if g.body != nil {
		g.body.Close()
	}
}

// atBoundary reports whether the bytes so far end where a frame ends.
func (g *gate) atBoundary() bool {
	tail := g.tail()
	return len(tail) == 0 || bytes.HasSuffix(tail, []byte("\n\n"))
}

func (g *gate) tail() []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return bytes.Clone(g.last)
}

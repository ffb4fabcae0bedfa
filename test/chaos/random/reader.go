package random

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/test/chaos/history"
)

// patterns are the bindings of the clients, in turn. Each gets every message; the last one by the last
// of its bindings alone. Where the proxy shares queues, clients with equal bindings are a group.
var patterns = [][]string{{"#"}, {"random.#"}, {"random.*"}, {"unheard.#", "random.message"}}

// reader is one client: it opens a stream, reads it to its end, and opens the
// next, until it is told to leave.
type reader struct {
	run    *conductor
	number int
	group  int // what befalls a queue befalls the group
	url    string
	http   *http.Client
	leave  chan struct{} // ends the stream that is open

	mu          sync.Mutex
	ready       bool      // the stream that is open now
	opened      time.Time // of it, when it is ready
	lastReady   time.Time // of any stream
	lastMessage time.Time // none comes to a stream that is not ready
	lastServed  time.Time // when the last stream that got a message became ready
	lastNumber  int       // of the stream that is open, 0 before its first message
}

// backOff is the time between two streams of a client.
const backOff = 50 * time.Millisecond

func newReader(c *conductor, number int) *reader {
	r := &reader{run: c, number: number, group: c.groupOf(number), leave: make(chan struct{}, 1)}
	r.url = c.connectURL(patterns[number%len(patterns)]...)
	dialer := &net.Dialer{}
	if address := r.address(); address != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(address)}
	}
	r.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer.DialContext}}
	return r
}

// groupOf returns the group of a client: where the proxy routes, all are one.
func (c *conductor) groupOf(client int) int {
	if c.options.Routed {
		return 0
	}
	return client % len(patterns)
}

// connectURL is that of a stream with bindings to the run's exchange.
func (c *conductor) connectURL(patterns ...string) string {
	var list []map[string]string
	for _, pattern := range patterns {
		list = append(list, map[string]string{"exchange": c.options.Exchange, "routingKeyPattern": pattern})
	}
	bindings, _ := json.Marshal(map[string]any{"bindings": list}) // strings always marshal
	return c.options.Proxy + "/api/events/v1/connect/?bindings=" + url.QueryEscape(string(bindings))
}

// address is the client's own, by which the proxy tells clients of this machine
// apart; "" where the proxy is elsewhere.
func (r *reader) address() string {
	if !r.run.local {
		return ""
	}
	return fmt.Sprintf("127.77.%d.%d", r.number/250, 1+r.number%250)
}

// read reads streams until ctx ends.
func (r *reader) read(ctx context.Context) {
	for ctx.Err() == nil {
		r.stream(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(backOff):
		}
	}
}

// stream is the life of one stream.
func (r *reader) stream(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the stream
		select {
		case <-r.leave:
			cancel()
		case <-ctx.Done():
		}
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		r.run.book.violate(untouched, "a URL that is none: %v", err)
		return
	}
	answer, err := r.http.Do(request)
	if err != nil {
		if ctx.Err() == nil {
			r.refused(0, err)
		}
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		r.refused(answer.StatusCode, nil)
		return
	}
	s := r.run.newStream(r)
	r.run.history.AddAt(s.opened, history.Open{Client: r.number, Stream: s.number, Group: r.group, Status: answer.StatusCode})
	tail := &tail{r: answer.Body}
	err = s.events(tail)
	s.ended(ctx, err, tail.atBoundary())
}

// refused notes an answer that is no stream.
func (r *reader) refused(status int, err error) {
	what, told := fmt.Sprintf("status %d", status), ""
	if err != nil {
		what, told = "no answer", err.Error()
	}
	r.run.history.Add(history.Open{Client: r.number, Group: r.group, Status: status, Error: told})
	r.run.book.reachedStatus(what)
	r.run.explained(r, what, time.Now())
}

// hasMessageSince reports whether a message came after a moment. Once it did, that stays so: a look that
// comes late finds it, whatever has happened to the client since.
func (r *reader) hasMessageSince(moment time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lastMessage.After(moment)
}

// isBackSince reports whether a stream became ready after a moment, and got a
// message. That stays so, too.
func (r *reader) isBackSince(moment time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lastServed.After(moment)
}

func (r *reader) isReady() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.ready }

// lacks returns a confirmed number that the open stream is owed and has not got;
// 0 for none.
func (r *reader) lacks() int {
	r.mu.Lock()
	ready, opened, since, last := r.ready, r.opened, r.lastReady, r.lastNumber
	r.mu.Unlock()
	if !ready {
		return 0 // what it misses is what its last error admits
	}
	return r.run.ledger.owed(last+1, since, opened)
}

// streams numbers the streams of a run.
type streams struct{ opened atomic.Int64 }

func (s *streams) next() int { return int(s.opened.Add(1)) }

// tail reads, and remembers the last bytes.
type tail struct {
	r    io.Reader
	last []byte
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	t.last = append(t.last, p[max(0, n-2):n]...)
	t.last = t.last[max(0, len(t.last)-2):]
	return n, err
}

// atBoundary reports whether the bytes so far end where a frame ends.
func (t *tail) atBoundary() bool { return len(t.last) == 0 || bytes.Equal(t.last, []byte("\n\n")) }

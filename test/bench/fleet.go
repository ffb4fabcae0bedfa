package bench

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Fleet is a number of clients that read event streams. They take apart what
// they read only as far as counting needs, so that they cost less than any
// server; a message's delay comes from the time in its payload:
//
//	data: {"payload":{"pad":"xxxx","at":1795219200000000000},"exchange":…
type Fleet struct {
	Received atomic.Int64 // messages, of all clients together
	Ready    atomic.Int64 // clients that have read the ready event
	Ended    atomic.Int64 // clients whose connection has ended
	Told     atomic.Int64 // of those, with an error event
	Delay    Latency      // of the messages
	Opening  Latency      // from the connect to the ready event

	mu      sync.Mutex
	clients []*client
	reading sync.WaitGroup
}

type client struct {
	fleet  *Fleet
	conn   *net.TCPConn
	opened time.Time
	ready  bool
	told   bool
	stuck  atomic.Bool
	rest   []byte // of the last read, where a mark may have been cut in two
}

// Marks of what is counted. The time's digits follow the first at once.
var (
	markAt    = []byte(`"at":`)
	markReady = []byte("event: ready")
	markError = []byte("event: error")
)

const (
	digits  = 19 // of Unix nanoseconds, until the year 2286
	longest = len(`"at":`) + digits
)

// Path is the request for one topic of the exchange.
func Path(topic string) string {
	return "/api/events/v1/connect/?bindings=" + url.QueryEscape(fmt.Sprintf(
		`{"bindings":[{"exchange":%q,"routingKeyPattern":%q}]}`, Exchange, topic))
}

// topicOf returns the topic in a request's first line that Path has made, empty where there is none.
func topicOf(request string) string {
	const before, after = "routingKeyPattern%22%3A%22", "%22"
	_, rest, _ := strings.Cut(request, before)
	topic, _, found := strings.Cut(rest, after)
	if !found {
		return ""
	}
	return topic // letters, digits and dots: the same when escaped
}

// Open connects n clients, so many at a time; the path may depend on the
// client's number. It returns when all have sent their request.
func (f *Fleet) Open(base string, n, atOnce int, path func(i int) string) error {
	var opening sync.WaitGroup
	places, failed := make(chan struct{}, atOnce), make(chan error, n)
	for i := range n {
		places <- struct{}{}
		opening.Go(func() {
			defer func() { <-places }()
			if err := f.add(base, path(i)); err != nil {
				failed <- err
			}
		})
	}
	opening.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func (f *Fleet) add(base, path string) error {
	c, err := dial(f, base, path)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.clients = append(f.clients, c)
	f.mu.Unlock()
	f.reading.Go(c.read)
	return nil
}

func dial(f *Fleet, base, path string) (*client, error) {
	address := strings.TrimPrefix(base, "http://")
	c := &client{fleet: f, opened: time.Now()}
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	c.conn = conn.(*net.TCPConn)
	_, err = conn.Write([]byte("GET " + path + " HTTP/1.1\r\nHost: " + address + "\r\nAccept: text/event-stream\r\n\r\n"))
	return c, err
}

// readBuffers are borrowed for a read that has something to read.
var readBuffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// read counts until the connection ends.
func (c *client) read() {
	defer c.fleet.Ended.Add(1)
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return
	}
	for ended := false; !ended; {
		err := raw.Read(func(fd uintptr) (done bool) {
			b := readBuffers.Get().(*[]byte)
			defer readBuffers.Put(b)
			kept := copy(*b, c.rest)
			n, err := syscall.Read(int(fd), (*b)[kept:])
			switch {
			case err == syscall.EAGAIN:
				return false
			case err == syscall.EINTR:
				return true
			case err != nil || n <= 0:
				ended = true
				return true
			}
			c.count((*b)[:kept+n], kept)
			return true
		})
		if err != nil {
			return // closed by us
		}
		for c.stuck.Load() {
			time.Sleep(10 * time.Millisecond) // being stuck is not waiting for anything
		}
	}
}

// count looks for marks. Those that end within the part known before have been
// counted already.
func (c *client) count(text []byte, known int) {
	if !c.ready && bytes.Contains(text, markReady) {
		c.ready = true
		c.fleet.Opening.Add(time.Since(c.opened))
		c.fleet.Ready.Add(1)
	}
	from, now := 0, time.Now().UnixNano()
	for {
		i := bytes.Index(text[from:], markAt)
		if i < 0 {
			break
		}
		start := from + i + len(markAt)
		if start+digits > len(text) {
			break
		}
		if at, err := strconv.ParseInt(string(text[start:start+digits]), 10, 64); err == nil && start+digits > known {
			c.fleet.Received.Add(1)
			c.fleet.Delay.Add(time.Duration(now - at))
		}
		from = start + digits
	}
	if !c.told && bytes.Contains(text, markError) {
		c.told = true
		c.fleet.Told.Add(1)
	}
	c.rest = append(c.rest[:0], text[max(0, len(text)-longest):]...)
}

// Stall makes the first n clients stop reading; Resume lets them go on.
func (f *Fleet) Stall(n int) { f.each(n, func(c *client) { c.stuck.Store(true) }) }

// Resume ends a Stall.
func (f *Fleet) Resume() { f.each(len(f.clients), func(c *client) { c.stuck.Store(false) }) }

func (f *Fleet) each(n int, do func(*client)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.clients[:min(n, len(f.clients))] {
		do(c)
	}
}

// Close ends every client and waits for that.
func (f *Fleet) Close() {
	f.Resume()
	f.each(len(f.clients), func(c *client) { c.conn.Close() })
	f.reading.Wait()
}

// Await waits until a count has reached a number.
func Await(what string, count *atomic.Int64, number int64, patience time.Duration) error {
	for deadline := time.Now().Add(patience); count.Load() < number; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d %s after %v", count.Load(), number, what, patience)
		}
	}
	return nil
}

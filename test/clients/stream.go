package clients

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/http/sse"
)

// Options of a Stream; the zero value opens a GET from any address.
type Options struct {
	Method string      // default GET
	Header http.Header // further request headers
	From   string      // the client's own address, such as 127.0.0.2; default: the system's choice
	TLS    *tls.Config // for https; default: the system's certificates
}

// Event is one server-sent event, as it arrived.
type Event struct {
	Name, Data, ID string
	At             time.Duration // since the request was sent
}

// Stream is one client with a socket of its own that reads on until the end of
// the answer. Its methods may be called concurrently.
type Stream struct {
	Status int         // of the answer
	Header http.Header // of the answer
	Local  net.Addr    // the client's end of the socket

	opened   time.Time
	socket   net.Conn
	vanished atomic.Bool
	gate     gate
	read     sync.WaitGroup // the reading goroutine

	mu       sync.Mutex
	received Received
	changed  chan struct{} // closed, and replaced, whenever something arrives
}

// Open sends the request and returns when the head of the answer is there;
// ctx bounds that. Whatever the status, Close is owed.
func Open(ctx context.Context, url string, o Options) (*Stream, error) {
	s := &Stream{opened: time.Now(), changed: make(chan struct{})}
	response, err := s.request(ctx, url, o)
	if err != nil {
		s.hangUp()
		return nil, fmt.Errorf("open %s: %w", url, err)
	}
	s.Status, s.Header = response.StatusCode, response.Header
	s.gate.open(response.Body)
	s.read.Go(s.readOn) // ends with the answer, or by Close
	return s, nil
}

func (s *Stream) request(ctx context.Context, url string, o Options) (*http.Response, error) {
	// The answer's body outlives ctx, so the request has a context of its own.
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	request, err := http.NewRequestWithContext(life, cmp.Or(o.Method, http.MethodGet), url, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	if o.Header != nil {
		request.Header = o.Header.Clone()
	}
	transport := &http.Transport{DialContext: s.dial(o.From), TLSClientConfig: o.TLS, DisableCompression: true}
	response, err := transport.RoundTrip(request)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	response.Body = released{response.Body, cancel}
	return response, nil
}

// dial opens the stream's one socket and remembers it: leaving, resetting and
// stalling are done to the socket.
func (s *Stream) dial(from string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		dialer := net.Dialer{}
		if from != "" {
			dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
		}
		socket, err := dialer.DialContext(ctx, network, address)
		if err == nil {
			s.socket, s.Local = socket, socket.LocalAddr()
		}
		return socket, err
	}
}

// readOn appends every event to what was received, until the answer ends.
func (s *Stream) readOn() {
	decoder := sse.NewDecoder(&s.gate)
	for {
		event, err := decoder.Next()
		if err != nil {
			s.end(err)
			s.hangUp() // nothing else will be asked on it
			return
		}
		s.arrived(Event{Name: event.Name, Data: event.Data, ID: event.ID, At: time.Since(s.opened)})
	}
}

func (s *Stream) arrived(e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received.Events = append(s.received.Events, e)
	if e.Name == "message" {
		s.received.Messages++
	}
	s.tell()
}

func (s *Stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received.Ended = true
	if err != io.EOF {
		s.received.Err = err
	} else if s.Status == http.StatusOK && !s.gate.atBoundary() {
		s.received.Err = fmt.Errorf("the answer ends inside a frame: …%q", s.gate.tail())
	}
	s.tell()
}

// tell wakes every Wait. The caller holds mu.
func (s *Stream) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Opened returns when the request was sent; the times of events count from there.
func (s *Stream) Opened() time.Time { return s.opened }

// Received returns what has arrived so far.
func (s *Stream) Received() Received {
	received, _ := s.look()
	return received
}

func (s *Stream) look() (Received, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	received := s.received
	received.Events = slices.Clip(received.Events) // what arrives later is appended elsewhere
	return received, s.changed
}

// Wait returns nil as soon as lacks finds nothing lacking in what has arrived.
// When the answer has ended or ctx ends without that, the error names what lacks.
func (s *Stream) Wait(ctx context.Context, lacks func(Received) error) error {
	for {
		received, changed := s.look()
		err := lacks(received)
		switch {
		case err == nil:
			return nil
		case received.Ended:
			return fmt.Errorf("%w (the answer is over)", err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
	}
}

// Stall stops reading: the socket's buffers fill, which takes some hundred KiB,
// and then the proxy's writes block.
func (s *Stream) Stall() { s.gate.stall() }

// Trickle reads a byte a second: the socket is never quite stuck, and the
// proxy's writes block all the same.
func (s *Stream) Trickle() { s.gate.trickle() }

// Resume reads on after Stall or Trickle.
func (s *Stream) Resume() { s.gate.resume() }

// Vanish takes the client away without a word: from now on its machine takes
// nothing, acknowledges nothing and sends nothing, no end either. Until Close
// the socket is there, for the proxy to find out. On Linux only.
func (s *Stream) Vanish() error {
	s.gate.stall()
	s.vanished.Store(true)
	return disappear(s.socket)
}

// Unread returns how many bytes wait in the socket for the client to read them; 0
// for one that reads. On Linux only.
func (s *Stream) Unread() (int, error) { return unread(s.socket) }

// Unacknowledged returns how many bytes the other end of the socket has sent that
// this machine has not acknowledged: for a client that vanished, all since then. On
// Linux only, and where the other end is on this machine.
func (s *Stream) Unacknowledged() (int, error) { return unacknowledged(s.socket) }

// Reset ends the socket with a TCP reset instead of an orderly end.
func (s *Stream) Reset() {
	if tcp, ok := s.socket.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	s.Close()
}

// Close leaves: the socket is closed, and the reading goroutine has ended when
// Close returns. Closing twice is harmless.
func (s *Stream) Close() {
	if s.vanished.Swap(false) {
		_ = reappear(s.socket) // fails where the socket is closed already
	}
	s.hangUp()
	s.gate.close()
	s.read.Wait()
}

func (s *Stream) hangUp() {
	if s.socket != nil {
		s.socket.Close()
	}
}

// released frees the request's context with the body.
type released struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (r released) Close() error {
	defer r.cancel()
	return r.ReadCloser.Close()
}

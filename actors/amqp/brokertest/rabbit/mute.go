package rabbit

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// Mute is a gate in front of a broker that swallows chosen calls, which are then never answered: a
// peer of a cluster that is frozen has that effect. Everything else passes. It also measures the
// frames that the broker sends. Its methods may be called concurrently.
type Mute struct {
	listener net.Listener
	broker   string
	word     atomic.Pointer[[]byte]
	next     atomic.Bool  // swallows the next queue.bind
	wide     atomic.Int64 // frames from the broker that are wider than FrameMax
	work     sync.WaitGroup

	mu      sync.Mutex
	sockets map[net.Conn]bool
	closed  bool
}

// NewMute opens a gate in front of the broker at an address. The caller must close it.
func NewMute(broker string) (*Mute, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &Mute{listener: listener, broker: broker, sockets: map[net.Conn]bool{}}
	m.work.Go(m.accept) // ends with the listener
	return m, nil
}

// Address returns the host and port to dial instead of the broker's.
func (m *Mute) Address() string { return m.listener.Addr().String() }

// SwallowBinds swallows every queue.bind whose frame holds the word, such as the name of an
// exchange. An empty word swallows none.
func (m *Mute) SwallowBinds(word string) {
	w := []byte(word)
	m.word.Store(&w)
}

// SwallowNextBind swallows the queue.bind that comes next, or none any more.
func (m *Mute) SwallowNextBind(on bool) { m.next.Store(on) }

// FrameMax is what RabbitMQ negotiates by default as the greatest size of a frame.
const FrameMax = 128 << 10

// WideFrames returns how many frames wider than FrameMax the broker has sent.
func (m *Mute) WideFrames() int64 { return m.wide.Load() }

// Close ends every connection.
func (m *Mute) Close() {
	m.listener.Close()
	m.mu.Lock()
	m.closed = true
	for socket := range m.sockets {
		socket.Close()
	}
	m.mu.Unlock()
	m.work.Wait()
}

func (m *Mute) accept() {
	for {
		client, err := m.listener.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", m.broker)
		if err != nil {
			client.Close()
			continue
		}
		if !m.keep(client, broker) {
			return
		}
		end := func() { client.Close(); broker.Close() }
		m.work.Go(func() { defer end(); io.Copy(io.MultiWriter(&meter{wide: &m.wide}, client), broker) })
		m.work.Go(func() { defer end(); m.filter(broker, client) })
	}
}

func (m *Mute) keep(sockets ...net.Conn) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, socket := range sockets {
		if m.closed {
			socket.Close()
		}
		m.sockets[socket] = true
	}
	return !m.closed
}

// filter passes frames on: type, channel (2), size (4), payload, end (1). The first eight bytes of
// a connection are no frame.
func (m *Mute) filter(to io.Writer, from io.Reader) error {
	r := bufio.NewReader(from)
	if _, err := io.CopyN(to, r, 8); err != nil {
		return err
	}
	for {
		head, err := r.Peek(7)
		if err != nil {
			return err
		}
		size := binary.BigEndian.Uint32(head[3:])
		if size > 1<<20 {
			return errors.New("rabbit: a frame of over 1 MiB")
		}
		frame := make([]byte, 7+size+1)
		if _, err := io.ReadFull(r, frame); err != nil {
			return err
		}
		if m.swallows(frame) {
			continue
		}
		if _, err := to.Write(frame); err != nil {
			return err
		}
	}
}

// queueBind is how the payload of a queue.bind begins: class 50, method 20.
var queueBind = []byte{0, 50, 0, 20}

func (m *Mute) swallows(frame []byte) bool {
	if frame[0] != 1 || !bytes.HasPrefix(frame[7:], queueBind) {
		return false
	}
	word := m.word.Load()
	return word != nil && len(*word) > 0 && bytes.Contains(frame, *word) || m.next.CompareAndSwap(true, false)
}

// meter counts the wide frames among bytes that begin with a frame. It never fails.
type meter struct {
	wide *atomic.Int64
	head []byte // of the frame that begins, up to 7 bytes
	left int64  // bytes until the next one begins
}

func (w *meter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if w.left > 0 {
			n := min(w.left, int64(len(rest)))
			w.left -= n
			rest = rest[n:]
			continue
		}
		n := min(7-len(w.head), len(rest))
		w.head, rest = append(w.head, rest[:n]...), rest[n:]
		if len(w.head) < 7 {
			break
		}
		size := int64(binary.BigEndian.Uint32(w.head[3:]))
		w.left, w.head = size+1, w.head[:0]
		if 7+size+1 > FrameMax {
			w.wide.Add(1)
		}
	}
	return len(p), nil
}

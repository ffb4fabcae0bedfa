package httpapi

import (
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// peer is the client of a hijacked connection, as a peerWatcher sees it.
type peer struct {
	conn   net.Conn
	raw    syscall.RawConn // of conn; nil where it is no socket, as with TLS
	closed atomic.Bool     // conn has been closed, or is about to be
	place  place           // in the watcher's list
	sent   int32           // bytes that the client has sent since its last pause
}

// A client has nothing to say once it has asked. What it sends nevertheless is
// read, or its end could not be seen behind it, and dropped; but no more than this
// a second, or the reading would cost whatever the client likes.
const (
	discardBytes = 64 << 10
	discardPause = time.Second
)

// overdone notes n bytes that the client has sent, and reports whether it is to be
// left waiting for discardPause. It must not be called concurrently.
func (p *peer) overdone(n int) bool {
	if p.sent += int32(n); p.sent < discardBytes {
		return false
	}
	p.sent = 0
	return true
}

// side returns the peer itself, for types that embed it.
func (p *peer) side() *peer { return p }

// watched is a connection whose client is watched.
type watched interface {
	side() *peer
	close() // once the client has left; may be called repeatedly
}

// peerWatcher notices when the clients of hijacked connections go: when their
// side has ended or failed. What they send is read and dropped; a client has
// nothing to say on an event stream. Its methods may be called concurrently.
type peerWatcher interface {
	// watch makes c.close be called, from another goroutine, when c's client goes.
	watch(c watched)

	// forget ends the watch. It is called once for each connection, before
	// its socket is closed, maybe before watch has returned.
	forget(c watched)
}

// readers is a peerWatcher with a goroutine for each connection. It works
// everywhere, with TLS too, for 3 KiB a stream.
type readers struct{}

func (readers) watch(c watched) {
	go func() { // owner: c, whose close ends the Read
		defer c.close()
		var discarded [512]byte
		for {
			n, err := c.side().conn.Read(discarded[:])
			if err != nil {
				return
			}
			if c.side().overdone(n) {
				time.Sleep(discardPause)
			}
		}
	}()
}

func (readers) forget(watched) {}

package httpapi

import (
	"net"
	"sync/atomic"
)

// peer is the client of a hijacked connection, as a peerWatcher sees it.
type peer struct {
	conn   net.Conn
	closed atomic.Bool // conn has been closed, or is about to be
	place  place       // in the watcher's list
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
			if _, err := c.side().conn.Read(discarded[:]); err != nil {
				return
			}
		}
	}()
}

func (readers) forget(watched) {}

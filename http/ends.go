package httpapi

import "net"

// ends notices when the clients of hijacked connections go.
type ends interface {
	// watch calls gone when the connection's other side has ended or failed,
	// once, from another goroutine. What the client sends is read and
	// dropped. It ends with the connection.
	watch(conn net.Conn, gone func())
}

// readers is ends with a goroutine for each connection: it works everywhere.
type readers struct{}

func (readers) watch(conn net.Conn, gone func()) {
	go func() { // owner: the connection, whose close ends the Read
		defer gone()
		var nothing [512]byte // a client has nothing to say on an event stream
		for {
			if _, err := conn.Read(nothing[:]); err != nil {
				return
			}
		}
	}()
}

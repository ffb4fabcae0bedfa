package httpapi

// ends notices when the clients of hijacked connections go: their side has
// ended or failed. What they send is read and dropped; a client has nothing to
// say on an event stream.
type ends interface {
	// watch closes c when its client goes, from another goroutine.
	watch(c *hijacked)

	// forget ends the watch. It is called once for each connection, before
	// its socket is closed, maybe before watch has returned.
	forget(c *hijacked)
}

// readers is ends with a goroutine for each connection. It works everywhere,
// with TLS too, for 3 KiB a stream.
type readers struct{}

func (readers) watch(c *hijacked) {
	go func() { // owner: c, whose close ends the Read
		defer c.close()
		var nothing [512]byte
		for {
			if _, err := c.conn.Read(nothing[:]); err != nil {
				return
			}
		}
	}()
}

func (readers) forget(*hijacked) {}

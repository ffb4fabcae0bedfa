package inspector

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// cable carries the browser's connections to a site and can be cut, as the
// network between the two can.
type cable struct {
	listener net.Listener
	to       string
	copying  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
}

// lay lays a cable to a site.
func lay(t *testing.T, s *site) *cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{listener: listener, to: strings.TrimPrefix(s.proxy.URL, "http://")}
	c.copying.Go(c.accept)
	t.Cleanup(func() {
		c.remove()
		c.copying.Wait()
	})
	return c
}

func (c *cable) url() string { return "http://" + c.listener.Addr().String() }

func (c *cable) accept() {
	for {
		near, err := c.listener.Accept()
		if err != nil {
			return // removed
		}
		far, err := net.Dial("tcp", c.to)
		if err != nil {
			near.Close()
			continue
		}
		c.mu.Lock()
		c.conns = append(c.conns, near, far)
		c.mu.Unlock()
		c.copying.Go(func() { pump(near, far) })
		c.copying.Go(func() { pump(far, near) })
	}
}

func pump(to, from net.Conn) {
	io.Copy(to, from)
	to.Close()
	from.Close()
}

// cut breaks what is connected; new connections work.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

// remove breaks everything for good.
func (c *cable) remove() {
	c.listener.Close()
	c.cut()
}

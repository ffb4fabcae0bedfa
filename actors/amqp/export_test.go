package amqp

import (
	"context"
	"net"
	"net/netip"
)

// SetLookup replaces the name lookup of a RabbitMQ.
func (r *RabbitMQ) SetLookup(names map[string][]string) {
	r.lookup = func(_ context.Context, _, host string) (ips []netip.Addr, err error) {
		for _, ip := range names[host] {
			ips = append(ips, netip.MustParseAddr(ip))
		}
		return ips, nil
	}
}

// Resting returns how many addresses are remembered as failed.
func (r *RabbitMQ) Resting() int {
	r.failures.mu.Lock()
	defer r.failures.mu.Unlock()
	return len(r.failures.of)
}

// NewCloseFilter returns the socket as a link writes to it.
func NewCloseFilter(socket net.Conn) net.Conn { return newCloseFilter(socket) }

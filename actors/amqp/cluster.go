package amqp

import (
	"context"
	"errors"
)

// ErrNoAddress is the cause of a failed DialWhere that was allowed no address.
var ErrNoAddress = errors.New("no address of the broker may be dialed")

// Cluster is implemented by dialers whose broker has addresses of its own to choose from, such as
// the nodes of a RabbitMQ cluster. Dial chooses by itself: any address that answers. Its methods
// may be called concurrently.
//
// An address is host:port, as [Address] returns it for a link: the host of the broker's URL, or one
// of the IP addresses that this name has where it has several. The list may change from one call to
// the next, as names do.
type Cluster interface {
	Dialer

	// Addresses returns the distinct addresses that a dial may choose from now, sorted. It resolves
	// names until ctx ends; a name that cannot be resolved is itself an address. It returns nil
	// where the addresses are not known: DialWhere is Dial then.
	Addresses(ctx context.Context) []string

	// DialWhere opens a link as Dial does, to an address for which may returns true. It calls may
	// once for each address. Where may returns false for all of them, it fails without dialing with
	// an error that wraps ErrNoAddress.
	//
	//	to one:          DialWhere(ctx, func(address string) bool { return address == "rabbit-2:5671" })
	//	to another one:  DialWhere(ctx, func(address string) bool { return !tried[address] })
	DialWhere(ctx context.Context, may func(address string) bool) (Link, error)
}

// Capacity returns how many channels may be open on the link at once, as negotiated with the
// broker; 0 where the link does not tell. A link tells by a method Capacity() int.
func Capacity(l Link) int {
	if l, ok := l.(interface{ Capacity() int }); ok {
		return max(0, l.Capacity())
	}
	return 0
}

// Address returns the address (host:port) of the broker that the link leads to; empty where the
// link does not tell. A link tells by a method Address() string.
func Address(l Link) string {
	if l, ok := l.(interface{ Address() string }); ok {
		return l.Address()
	}
	return ""
}

// User returns the user name with which the dialer logs in: under Pulse the namespace in which it
// may make queues. It is empty where the dialer does not tell. A dialer tells by a method User()
// string.
func User(d Dialer) string {
	if d, ok := d.(interface{ User() string }); ok {
		return d.User()
	}
	return ""
}

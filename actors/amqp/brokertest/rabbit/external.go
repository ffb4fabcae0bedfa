package rabbit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"
)

// ErrExternal means that a broker that others run must not be harmed, or cannot
// be asked that way.
var ErrExternal = errors.New("rabbit: not possible with a broker that others run")

// Broker returns the broker of tests that look into it and harm nothing: the one
// of PULSE_TEST_URL, which see External, or else the package's node, see Run.
func Broker(t TB) *Node {
	t.Helper()
	address := os.Getenv("PULSE_TEST_URL")
	if address == "" {
		return Run(t)
	}
	n, err := External(t.Context(), address, os.Getenv("PULSE_TEST_MANAGEMENT_URL"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return n
}

// External is a broker that others run, at the AMQP URL of an administrator.
// Evidence, users and virtual hosts are asked of its management plugin; with
// management "", it is looked for on port 15672 of the same host, for the same
// user. What only the broker's process could do fails with ErrExternal.
func External(ctx context.Context, address, management string) (*Node, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User == nil {
		return nil, errors.New("rabbit: a broker's address is amqp://user:password@host:5672/vhost") // err holds the password
	}
	n := &Node{external: u}
	beside := url.URL{Scheme: "http", User: u.User, Host: net.JoinHostPort(u.Hostname(), "15672")}
	if n.management, err = NewManagement(cmp.Or(management, beside.String())); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := n.Snapshot(ctx); err != nil {
		return nil, fmt.Errorf("the broker's management plugin is needed (PULSE_TEST_MANAGEMENT_URL): %w", err)
	}
	return n, nil
}

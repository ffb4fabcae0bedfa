package balancers

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/taskcluster/events-proxy/test/chaos"
)

// fleet is some proxies on one broker, each with an address that its successor takes over.
type fleet struct {
	binary, broker string
	flags          []string
	ports          []int
	running        []*chaos.Process
}

// startFleet starts n proxies. The caller owes a close, also where it fails.
func startFleet(binary, broker string, n int, flags ...string) (*fleet, error) {
	f := &fleet{binary: binary, broker: broker, flags: flags, running: make([]*chaos.Process, n)}
	for range n {
		port, err := freePort()
		if err != nil {
			return f, err
		}
		f.ports = append(f.ports, port)
	}
	failures := make([]error, n)
	var starting sync.WaitGroup
	for i := range n {
		starting.Go(func() { failures[i] = f.start(i) })
	}
	starting.Wait()
	return f, errors.Join(failures...)
}

func (f *fleet) start(i int) (err error) {
	flags := append([]string{"--port", fmt.Sprint(f.ports[i]), "--trust-proxy", "--force-ssl", "--drain-delay", "2s"}, f.flags...)
	f.running[i], err = chaos.Start(f.binary, f.broker, flags...)
	return err
}

// addresses returns host:port of each proxy.
func (f *fleet) addresses() []string {
	var list []string
	for _, port := range f.ports {
		list = append(list, fmt.Sprint("127.0.0.1:", port))
	}
	return list
}

// replace does to a proxy what a deployment does: SIGTERM, its orderly end, and a new process at
// the same address.
func (f *fleet) replace(ctx context.Context, i int) error {
	if err := f.running[i].Drain(ctx, 0); err != nil {
		return fmt.Errorf("proxy %d does not drain: %w", i, err)
	}
	return f.start(i)
}

func (f *fleet) close() error {
	var failures []error
	for _, p := range f.running {
		if p != nil {
			failures = append(failures, p.Close())
		}
	}
	return errors.Join(failures...)
}

package rabbit

import (
	"fmt"
	"sync"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/child"
)

// epmd is Erlang's port mapper, through which the nodes of one cluster find each
// other. It listens on a port of its own, so that no other cluster of the
// machine is met there.
type epmd struct {
	root string
	port int
	log  string

	mu      sync.Mutex
	process *child.Process
}

// start does nothing where it runs already.
func (e *epmd) start() (err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.process == nil {
		command := []string{"/usr/bin/epmd", "-port", fmt.Sprint(e.port), "-address", "127.0.0.1"}
		e.process, err = child.Start(child.Command{Root: e.root, Line: command, Env: []string{"PATH=/usr/bin:/bin"}, Stderr: e.log})
	}
	return err
}

// running returns the process, or nil. A broker that others run has no epmd.
func (e *epmd) running() *child.Process {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.process
}

func (e *epmd) close() {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.process != nil {
		e.process.Kill()
		e.process = nil
	}
}

package actors

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// registry knows every live actor of a System, so that a snapshot never has to wait for one of
// them. Its methods may be called concurrently.
type registry struct {
	count *counters
	log   *slog.Logger

	mu    sync.Mutex
	nodes map[string]*node // by the PID's id
}

// node is an actor's entry in the registry. It counts the actor's mailbox, as protoactor's mailbox
// middleware.
type node struct {
	registry *registry
	parent   *node
	role     Role
	label    string  // the stream's id, where there is one
	stream   *Stream // a connection's, else nil
	since    time.Time

	attached         atomic.Int64 // a feed's streams
	posted, received atomic.Int64
	instances        atomic.Int64 // so far: restarts and one
	state            atomic.Pointer[string]

	// Below: used in the actor's own turns only.
	ending   bool // it is stopping or restarting
	stopping bool // it was told to stop: no restart brings it back

	// Below: guarded by registry.mu.
	id      string // the PID's
	stopped bool
	failure string
	failed  time.Time
}

func newRegistry(count *counters, log *slog.Logger) *registry {
	return &registry{nodes: map[string]*node{}, count: count, log: log}
}

// newNode returns the node of an actor that is about to be spawned.
func (r *registry) newNode(parent *node, role Role, label string) *node {
	n := &node{registry: r, parent: parent, role: role, label: label, since: time.Now()}
	n.setState("starting")
	return n
}

// register enters the actor under its PID, unless it has stopped already.
func (n *node) register(pid *actor.PID) {
	n.registry.mu.Lock()
	defer n.registry.mu.Unlock()
	if n.id = pid.Id; !n.stopped {
		n.registry.nodes[n.id] = n
	}
}

// unregister removes the actor, which has stopped.
func (n *node) unregister() {
	n.registry.mu.Lock()
	defer n.registry.mu.Unlock()
	n.stopped = true
	delete(n.registry.nodes, n.id)
}

// ownNode makes every actor that embeds a node one whose node can be found.
func (n *node) ownNode() *node { return n }

// setState notes what the actor is doing now.
func (n *node) setState(state string) {
	if was := n.state.Load(); was == nil || *was != state {
		n.state.Store(&state)
	}
}

// countInstance is called for each instance of the actor: the first, and one for each restart.
func (n *node) countInstance() {
	n.ending = false
	if n.instances.Add(1) > 1 {
		n.registry.count.restarts.Add(1)
		n.received.Add(1) // the message that the instance before failed at
	}
}

// childFailed notes why a child failed, and logs it, once.
func (n *node) childFailed(pid *actor.PID, reason any) {
	r := n.registry
	r.count.failures.Add(1)
	r.mu.Lock()
	child := r.nodes[pid.Id]
	if child != nil {
		child.failure, child.failed = fmt.Sprint(reason), time.Now()
	}
	r.mu.Unlock()
	if child == nil {
		return
	}
	level := slog.LevelError // a defect
	var e *Error
	if err, ok := reason.(error); ok && errors.As(err, &e) && e.Code != InternalError {
		level = slog.LevelDebug // not of our making: the client is told, and the stream's end is logged
	}
	r.log.Log(cmp.Or(child.stream, n.stream).logContext(), level, "actor failed",
		"role", string(child.role), "stream", child.label, "reason", fmt.Sprint(reason))
}

// MailboxStarted and the three below make a node a mailbox middleware.
func (n *node) MailboxStarted()     {}
func (n *node) MessagePosted(any)   { n.posted.Add(1) }
func (n *node) MessageReceived(any) { n.received.Add(1) }
func (n *node) MailboxEmpty()       {}

// actors returns every live actor, parents before children and then oldest first.
func (r *registry) actors(now time.Time) []Actor {
	type entry struct {
		Actor
		depth int
	}
	r.mu.Lock() // actors that start and stop wait for it
	entries := make([]entry, 0, len(r.nodes))
	for _, n := range r.nodes {
		entries = append(entries, entry{n.picture(now), n.depth()})
	}
	r.mu.Unlock()
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.depth, b.depth), cmp.Compare(b.Age, a.Age), cmp.Compare(a.ID, b.ID))
	})
	out := make([]Actor, len(entries))
	for i := range entries {
		out[i] = entries[i].Actor
	}
	return out
}

// picture returns the actor as an operator sees it. registry.mu is held.
func (n *node) picture(now time.Time) Actor {
	a := Actor{
		ID: n.id, Role: n.role, Stream: n.label, State: *n.state.Load(), Age: now.Sub(n.since),
		Mailbox: max(0, n.posted.Load()-n.received.Load()), Restarts: max(0, n.instances.Load()-1),
		Failure: n.failure, FailedAt: n.failed,
	}
	if n.parent != nil {
		a.Parent = n.parent.id
	}
	return a
}

func (n *node) depth() int {
	if n.parent == nil {
		return 0
	}
	return 1 + n.parent.depth()
}

// streams returns the state of every open stream, oldest first.
func (r *registry) streams(now time.Time) []StreamState {
	out := []StreamState{}
	r.mu.Lock()
	for _, n := range r.nodes {
		if n.stream != nil {
			state := n.stream.state(now)
			state.State = *n.state.Load()
			out = append(out, state)
		}
	}
	r.mu.Unlock()
	slices.SortFunc(out, func(a, b StreamState) int { return cmp.Compare(b.Age, a.Age) })
	return out
}

// streams returns how many streams the actor serves: a feed those that are attached to it, any
// other one, nil none.
func (n *node) streams() int64 {
	switch {
	case n == nil:
		return 0
	case n.role == RoleFeed:
		return n.attached.Load()
	}
	return 1
}

// labels returns the ids of the streams of all actors of a role.
func (r *registry) labels(role Role) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, n := range r.nodes {
		if n.role == role {
			out = append(out, n.label)
		}
	}
	return out
}

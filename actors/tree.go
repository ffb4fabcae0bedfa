package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Role is what an actor is for.
type Role string

// The roles. RoleWorker is no actor: it is the goroutine that a consumer owns.
const (
	RoleEvents      Role = "events"
	RoleBroker      Role = "broker"
	RoleConnections Role = "connections"
	RoleConnection  Role = "connection"
	RoleFeeds       Role = "feeds"
	RoleFeed        Role = "feed"
	RoleConsumer    Role = "consumer"
	RoleWorker      Role = "worker"
)

// tree knows every actor of a System, so that a snapshot never has to wait for
// one of them.
type tree struct {
	count *counters
	log   *slog.Logger

	mu    sync.Mutex
	nodes map[string]*node // by the PID's id
}

// node is an actor's place in the tree. It counts the actor's mailbox, as
// protoactor's mailbox middleware.
type node struct {
	tree   *tree
	parent *node
	role   Role
	label  string  // the stream's id, where there is one
	stream *Stream // a connection's, else nil
	since  time.Time

	posted, received atomic.Int64
	lives            atomic.Int64 // instances so far: restarts and one
	state            atomic.Pointer[string]

	// Below: known to the actor's own turns only.
	ending   bool // it is stopping or restarting
	stopping bool // it was told to stop: no restart brings it back

	// Below: guarded by tree.mu.
	id      string // the PID's
	left    bool   // the actor has stopped
	failure string
	failed  time.Time
}

func newTree(count *counters, log *slog.Logger) *tree {
	return &tree{nodes: map[string]*node{}, count: count, log: log}
}

func (t *tree) plan(parent *node, role Role, label string) *node {
	n := &node{tree: t, parent: parent, role: role, label: label, since: time.Now()}
	n.become("starting")
	return n
}

// enter puts the actor into the tree under its PID, unless it has stopped
// already.
func (n *node) enter(pid *actor.PID) {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	if n.id = pid.Id; !n.left {
		n.tree.nodes[n.id] = n
	}
}

// leave takes the actor out of the tree: it has stopped.
func (n *node) leave() {
	n.tree.mu.Lock()
	defer n.tree.mu.Unlock()
	n.left = true
	delete(n.tree.nodes, n.id)
}

func (n *node) place() *node { return n }

// become notes what the actor is doing now.
func (n *node) become(what string) {
	if was := n.state.Load(); was == nil || *was != what {
		n.state.Store(&what)
	}
}

// born counts an instance of the actor.
func (n *node) born() {
	n.ending = false
	if n.lives.Add(1) > 1 {
		n.tree.count.restarts.Add(1)
		n.received.Add(1) // the message that the one before failed at
	}
}

// childFailed notes why a child failed, and logs it, once.
func (n *node) childFailed(pid *actor.PID, reason any) {
	n.tree.count.failures.Add(1)
	n.tree.mu.Lock()
	child := n.tree.nodes[pid.Id]
	if child != nil {
		child.failure, child.failed = fmt.Sprint(reason), time.Now()
	}
	n.tree.mu.Unlock()
	if child == nil {
		return
	}
	level := slog.LevelError // a defect
	var e *Error
	if err, ok := reason.(error); ok && errors.As(err, &e) && e.Code != InternalError {
		level = slog.LevelInfo // the world's doing, told to the client
	}
	n.tree.log.Log(context.Background(), level, "actor failed",
		"role", string(child.role), "stream", child.label, "reason", fmt.Sprint(reason))
}

// MailboxStarted and the three below make a node a mailbox middleware.
func (n *node) MailboxStarted()     {}
func (n *node) MessagePosted(any)   { n.posted.Add(1) }
func (n *node) MessageReceived(any) { n.received.Add(1) }
func (n *node) MailboxEmpty()       {}

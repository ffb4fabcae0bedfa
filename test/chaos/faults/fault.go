package faults

import (
	"context"
	"slices"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/clients"
)

// Site is where faults happen: a proxy with a broker behind it and clients
// before it. A fault needs only what it touches.
type Site struct {
	Node     *rabbit.Node  // nil where the broker's process is not ours
	VHost    *rabbit.VHost // the proxy's own; nil with Node
	Calls    *rabbit.Mute  // on the way to the broker, behind the Gate: calls and frames
	Gate     *Gate         // on the way to the broker; or from clients to the proxy
	User     string        // the proxy's
	Password string

	Cluster *rabbit.Cluster // nil where there is one node
	Number  int             // of the node in it that a fault befalls

	Clients []*clients.Stream // those that misbehave
	Proxy   Crasher
	Process Process // the proxy's; nil where it is not ours
}

// Process is a proxy's that can be stopped, and whose log can be left unread. Its methods
// may be called concurrently.
type Process interface {
	Pause() error
	Continue() error
	IsPaused() (bool, error)

	LeaveLog()
	ReadLog()
	LogPipe() (unread, room int, err error) // in bytes
}

// Crasher is a proxy whose actors can be made to fail.
type Crasher interface {
	Snapshot(ctx context.Context) (actors.Snapshot, error)
	Ends(ctx context.Context, after int64) ([]actors.StreamEnd, error) // as [actors.System.Ends]
	Crash(ctx context.Context, role actors.Role, stream string) error
}

// Fault is one thing that can befall a site.
type Fault struct {
	Name string
	// Happen makes it happen. It is over as far as the site is concerned when
	// it returns, however long its effects last.
	Happen func(context.Context, Site) error

	// Watch takes what the fault's sign will be compared with, and returns the sign
	// to look for afterwards. It is called before Happen, and fails where there is
	// nothing that the fault could befall. Nil: the fault undoes another, and is
	// no harm itself.
	Watch func(context.Context, Site) (Sign, error)
}

// All lists every fault that has no parameters, and what undoes it.
func All() []Fault { return slices.Concat(OfNetwork(), OfBroker(), OfClients(), OfProcess(), OfNode()) }

// OfNetwork lists the faults of a Gate, and what undoes them. In scripts they
// stand after `broker` or `network`, whichever gate is meant.
func OfNetwork() []Fault {
	return []Fault{LinkCut, Reset, BlackHole, Latency, Bandwidth, Slicer, Unplugged, Heal}
}

// OfBroker lists the faults of a broker, and what undoes them: after `broker`.
func OfBroker() []Fault {
	return []Fault{
		BrokerStop, BrokerKill, BrokerStart, BrokerRestart, BrokerFreeze, BrokerThaw,
		MemoryAlarm, MemoryAlarmOver, PasswordChanged, PasswordRestored, VHostDeleted,
		LinksDropped, ChannelsClosed, QueuesDeleted, ExchangesRemade, FrozenCall,
	}
}

// OfProcess lists the faults of the proxy's process, and what undoes them: after `process`.
func OfProcess() []Fault {
	return []Fault{ProcessPaused, ProcessContinued, LogUnread, LogRead}
}

// OfClients lists the faults of clients, and what undoes them. Each is a
// command, followed by the clients' name.
func OfClients() []Fault {
	return []Fault{SlowReader, ByteASecond, VanishingClient, Resumed}
}

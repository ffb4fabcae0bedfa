package faults

import (
	"context"

	"github.com/taskcluster/events-proxy/test/rabbit"
)

// Site is where faults happen: one proxy's way to its broker.
type Site struct {
	Node     *rabbit.Node  // nil where the broker's process is not ours
	VHost    *rabbit.VHost // the proxy's own; nil with Node
	Gate     *Gate         // on the way from the proxy to the broker
	User     string        // the proxy's
	Password string
}

// Fault is one thing that can befall a site.
type Fault struct {
	Name string
	// Happen makes it happen. It is over as far as the site is concerned when
	// it returns, however long its effects last.
	Happen func(context.Context, Site) error
}

// All lists the faults, and what undoes them.
func All() []Fault {
	return []Fault{
		LinkCut, Reset, BlackHole, Latency, Bandwidth, Slicer, Unplugged, Heal,
		BrokerStop, BrokerKill, BrokerStart, BrokerRestart, BrokerFreeze, BrokerThaw,
		MemoryAlarm, MemoryAlarmOver, PasswordChanged, PasswordRestored, VHostDeleted,
		LinksDropped, ChannelsClosed, QueuesDeleted,
	}
}

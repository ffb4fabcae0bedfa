package random

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/history"
)

// Options of a run.
type Options struct {
	Proxy    string // URL of the proxy
	Operator string // URL of its operators' listener

	// Exchange is where Publish publishes; the clients bind to all of it.
	Exchange string

	// Publish puts one message into the exchange, with the body {"n":number}, and
	// returns when the broker has confirmed it. An error is no failure of the run:
	// the broker may be what is broken. It is called by one goroutine.
	Publish func(ctx context.Context, number int) error

	Clients  int           // streams at once; default 50
	For      time.Duration // of harm; default 10 s
	Every    time.Duration // between two harms; default 50 ms
	Rate     float64       // messages a second; default 200, and fewer for more than 50 clients
	Seed     uint64        // of the schedule
	Schedule []Step        // is played instead of one drawn from Seed
	Harms    []Harm        // beside those of this package: links cut, queues deleted
	Skipped  []Skip        // what the caller knows that it cannot do here

	// Patience is how long healing may take; default 30 s.
	Patience time.Duration

	// SignPatience is how long the sign of a harm is waited for; default 10 s.
	SignPatience time.Duration

	// Memory is the most that the process may have resident, in bytes; 0: no limit.
	Memory int64

	// Shared is set where streams with equal bindings have one queue, Routed where all have one.
	Shared, Routed bool

	// Swallow makes every call that binds a queue vanish on its way to the broker,
	// if its pattern is the word; "": none. Without it no call is frozen.
	Swallow func(word string)

	// Nodes is how many nodes the broker's cluster has; for the history.
	Nodes int

	// Relinked is Harm.Late of the harms of this package that have the proxy's links made anew.
	Relinked Late

	// Census counts what the broker holds of the proxy's; Account says by whose
	// account. Without it the claim about the broker is skipped.
	Census  func(ctx context.Context) (Census, error)
	Account string

	// Backlog counts the messages that the broker holds in the proxy's queues, acknowledged ones left
	// out. Without it the claim about them is skipped.
	Backlog func(ctx context.Context) (int, error)

	// End ends the proxy, where that is the caller's to do, and returns what was wrong with its end
	// or is left of it on the broker. It is called once, when all else has been looked at, unless
	// the run is called off. Without it the claim about the end is skipped.
	End func() error

	// History takes every record; nil: none is kept. Command and Environment go
	// into its first line.
	History     *history.Recorder
	Command     string
	Environment map[string]string

	// Failures delivers the proxy's own words on actors that failed, where its log
	// can be read; see FailureIn. Without it only actors that are there once are
	// noticed.
	Failures <-chan history.Failure

	Log      io.Writer          // what is done and seen, a line each; default: nowhere
	Progress func(now Progress) // is called once a second; default: nothing
}

// Census is what a proxy has on its broker.
type Census struct{ Queues, Consumers, Bindings, Channels, Connections int }

// Progress is where a run stands.
type Progress struct {
	Phase          string
	Elapsed, Total time.Duration // of the harm
	Streams        int           // ready now
	Harm           string        // the last that was asked for
	Seen, Undone   int
	Violations     int64
}

// Scope is whom a harm may touch.
type Scope string

// The scopes.
const (
	OneStream Scope = "stream" // the stream that it was aimed at
	OneGroup  Scope = "group"  // all streams of its queue, where queues are shared
	Everyone  Scope = "all"    // every stream
	NoStream  Scope = "none"   // no stream: all must go on as if nothing happened
)

// Harm is one way to break something.
type Harm struct {
	Name  string
	Does  string        // what happens, for the readers of a report
	Every time.Duration // the least time between two of it; 0: any
	Quiet time.Duration // so long after it, and shortly before, nothing is asked for that befalls everyone
	Scope Scope
	Codes []actors.Code // that a stream within the scope may end with
	Late  Late          // codes that it may end with when the harm is over

	// Watch takes what a sign will be compared with, before the harm is done, and
	// returns the sign to look for. Default: the proxy lists the stream as ended with
	// one of the codes; where no stream is aimed at, it counts a lost link.
	Watch func(ctx context.Context) (faults.Sign, error)

	// SignPatience is how long the sign is waited for; 0: as Options.SignPatience says.
	SignPatience time.Duration

	// Do makes it happen to a stream, where the scope is OneStream or OneGroup. It
	// returns when the harm is done, which need not be when it is over.
	Do func(ctx context.Context, victim Victim) error

	// Publish is what Options.Publish is, in a harmful way; where it is set the next
	// number is published by it, and Do is not called.
	Publish func(ctx context.Context, number int) error

	// Deaf is how long streams may miss messages once Do has returned, as the proxy's
	// documentation admits, though they are open and are not told: those that were
	// opened before, and where queues are shared later ones too. Do is called between
	// two messages then.
	Deaf time.Duration

	// Over returns nil when what was asked for at a time is over, else what it waits
	// for. Nil: it is over when every stream that it could touch gets messages.
	Over func(ctx context.Context, asked time.Time) error
}

// Late are codes that streams may end with after a harm, as the proxy makes up for it: from After
// its asking on, until For after it was over or, where that is later, after the proxy's links changed
// by it for the last time. See history.Late for which changes are a harm's.
type Late struct {
	Codes      []actors.Code
	After, For time.Duration
}

// Skip is something that cannot be done or judged here, and why.
type Skip struct{ What, Why string }

func (o Options) withDefaults() Options {
	if o.Clients == 0 {
		o.Clients = 50
	}
	if o.For == 0 {
		o.For = 10 * time.Second
	}
	if o.Every == 0 {
		o.Every = 50 * time.Millisecond
	}
	if o.Rate == 0 {
		o.Rate = 200 * min(1, 50/float64(o.Clients))
	}
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
	if o.SignPatience == 0 {
		o.SignPatience = 10 * time.Second
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return o
}

func (o Options) validate() error {
	var problems []error
	for name, missing := range map[string]bool{
		"Proxy": o.Proxy == "", "Operator": o.Operator == "", "Exchange": o.Exchange == "", "Publish": o.Publish == nil,
	} {
		if missing {
			problems = append(problems, errors.New("random: "+name+" is missing"))
		}
	}
	if o.Clients < 0 || o.For < 0 || o.Every < 0 || o.Patience < 0 || o.SignPatience < 0 || o.Memory < 0 || o.Rate < 0 {
		problems = append(problems, errors.New("random: an option is negative"))
	}
	return errors.Join(problems...)
}

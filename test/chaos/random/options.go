package random

import (
	"context"
	"errors"
	"io"
	"time"
)

// Options of a run.
type Options struct {
	Proxy    string // URL of the proxy
	Operator string // URL of its operator's listener, started with --chaos

	// Exchange is where Publish publishes; the clients bind to all of it.
	Exchange string

	// Publish puts one message into the exchange: its body is {"n":number}.
	// An error is no failure of the run: the broker may be what is broken.
	Publish func(ctx context.Context, number int) error

	Clients int           // streams at once; default 50
	For     time.Duration // of harm; default 10 s
	Every   time.Duration // between two harms; default 50 ms
	Seed    uint64        // what is drawn
	Harms   []Harm        // beside our own: links cut, a broker restarted

	// Patience is how long healing may take; default 30 s.
	Patience time.Duration

	// Memory is the most that the process may have resident, in bytes; 0: it
	// is not looked at.
	Memory int64

	Log io.Writer // what is done and seen, a line each; default: nowhere
}

// Harm is one way to break something. It returns when the harm is done, which
// need not be when it is over.
type Harm struct {
	Name  string
	Every time.Duration // the least time between two of it; 0: any
	Do    func(ctx context.Context) error
}

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
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = io.Discard
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
	if o.Clients < 0 || o.For < 0 || o.Every < 0 || o.Patience < 0 || o.Memory < 0 {
		problems = append(problems, errors.New("random: an option is negative"))
	}
	return errors.Join(problems...)
}

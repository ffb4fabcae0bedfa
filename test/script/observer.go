package script

import (
	"time"

	"github.com/taskcluster/events-proxy/test/clients"
)

// Observer is told what scripts do and see, as it happens. Its methods may be
// called concurrently where scripts are played side by side.
type Observer interface {
	// Command has been run; err is why it failed.
	Command(script, line string, begun time.Time, took time.Duration, err error)

	// Published is a numbered message; err is nil only where the broker has confirmed it for every
	// queue.
	Published(script string, number int, begun time.Time, took time.Duration, err error)

	// Left is a stream that the script has done with, with all that it received.
	Left(script, name string, s *clients.Stream)

	// Ended is the script's end; cause is why it failed, or nil.
	Ended(script string, harms []Harm, cause error)
}

// blind is the Observer that does nothing.
type blind struct{}

func (blind) Command(string, string, time.Time, time.Duration, error) {}
func (blind) Published(string, int, time.Time, time.Duration, error)  {}
func (blind) Left(string, string, *clients.Stream)                    {}
func (blind) Ended(string, []Harm, error)                             {}

func (p Params) observe() Observer {
	if p.Observer == nil {
		return blind{}
	}
	return p.Observer
}

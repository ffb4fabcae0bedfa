package tail

import (
	"io"
	"time"
)

// Options say what is read, for how long, and how it is shown.
type Options struct {
	Filter  *Filter       // nil takes every message
	Count   int           // Run ends after so many taken messages; 0: it does not
	Timeout time.Duration // Run ends after this time; 0: it does not

	// Wait ends at the first gap too, with Lost.
	Wait bool

	// Raw shows payloads in place of messages; strings, of a filter too, without
	// quotes.
	Raw bool

	// Columns is the width of the terminal on which messages are shown for
	// people; 0 writes NDJSON. Color allows colours.
	Columns int
	Color   bool

	Out   io.Writer // messages
	Notes io.Writer // progress, state and errors, a line each
	Name  string    // what a line of Notes starts with
	Quiet bool      // only what is wrong is noted
}

// Outcome is how Run ended.
type Outcome int

// The outcomes of Run.
const (
	Done        Outcome = iota // as many messages as were asked for; or the reader of Out has closed it
	Failed                     // Out cannot be written
	TimedOut                   // Options.Timeout is over
	NeverReady                 // the same, and there was no stream
	Lost                       // a gap, where Options.Wait is set
	Refused                    // the service refuses what is asked for: another try is of no use
	Interrupted                // the context has ended
)

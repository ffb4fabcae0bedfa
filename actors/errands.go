package actors

// errands is how a goroutine gets a channel for an errand on one link from the broker actor. Its
// methods may be called concurrently.
type errands struct {
	ask        func(answer chan<- bool) // see broker.errands
	end        func()                   // reports that the channel of an errand is closed
	beside     func(state besideState)  // reports what becomes of a feed's second channel
	lost, done <-chan struct{}          // closed when the link, or the tree, has ended
}

// besideState is what has become of a feed's second channel.
type besideState int

const (
	besideOpen   besideState = iota // it is open
	besideClosed                    // it is closed, and may be opened again
	besideOver                      // it is closed for good, or never was open
)

// begin reports whether a channel is granted. The caller owes end when that is closed.
func (e errands) begin() bool {
	answer := make(chan bool, 1)
	e.ask(answer)
	select {
	case granted := <-answer:
		return granted
	case <-e.lost: // its account is gone as well
	case <-e.done:
	}
	return false
}

package actors

import "time"

// Event is what a reader receives: Ping, Ready, *Message, Custom, and last an *Error.
type Event interface{ event() }

// Ping shows that the stream is alive. It is the first event of every stream and comes every 20
// seconds (± 10 %) after that.
type Ping struct{ Time time.Time }

// Ready shows that every binding is in place: what is published from now on and matches is
// delivered. No message comes before it.
type Ready struct{}

// Message is one delivery. It may be shared by many readers and must not be changed.
type Message struct {
	Exchange    string
	RoutingKey  string
	Redelivered bool
	Routes      []string // the CC header's entries that start with "route.", without that prefix
	Body        []byte   // as published

	// JSON is the whole message as the event's data, one line:
	// {"payload":…,"exchange":…,"routingKey":…,"redelivered":…,"routes":[…]}
	JSON []byte

	apart    int    // bytes of Body that are no part of JSON
	omitted  int    // bytes of a body that is over the limit, so that Body is nil
	received int64  // as sinceStart: when it was taken from the broker; 0 where it was not
	tag      uint64 // names the delivery to its channel; 0 where none waits for it
}

// start is what Message.received counts from: monotonic, and half the size of a time.Time.
var start = time.Now()

// Age returns the time from the message's receipt from the broker to now, and 0 for a message that
// no broker has sent.
func (m *Message) Age(now time.Time) time.Duration {
	if m.received == 0 {
		return 0
	}
	return now.Sub(start) - time.Duration(m.received)
}

func (Ping) event()     {}
func (Ready) event()    {}
func (*Message) event() {}
func (*Error) event()   {}

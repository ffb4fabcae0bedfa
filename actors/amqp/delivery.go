package amqp

// Delivery is one message on its way to a consumer, as a value. What Body and CC refer to is shared
// and must not be edited.
type Delivery struct {
	Tag         uint64   // names it in Acknowledge; counts up from 1 on its channel
	Exchange    string   // where it was published
	RoutingKey  string   // with which key
	CC          []string // further routing keys: the strings in the header CC, in order
	Redelivered bool     // it may have been delivered before
	Body        []byte   // as published; nil when empty
}

// Message is what a Publisher publishes.
type Message struct {
	Body        []byte
	ContentType string   // empty: none is sent
	CC          []string // further routing keys; nil: no header
}

func nilIfEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

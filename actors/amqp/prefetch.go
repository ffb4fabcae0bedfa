package amqp

// Prefetcher is implemented by channels whose prefetch can change while they consume. Like the
// other methods of a [Channel], its method must only be called by the channel's owner.
type Prefetcher interface {
	// Prefetch changes the prefetch of the channel, which consumes queue, to 1 to 65535. Deliveries
	// keep their order, none is lost, and what is unacknowledged stays so: until it is
	// acknowledged, the deliveries of the earlier prefetch may come on top of the new one. It
	// returns false, and nothing has changed, where it is too early for another change. An error is
	// an *Error, as those of Consume.
	Prefetch(queue string, prefetch int) (changed bool, err error)
}

package amqp

// DeadLetters is implemented by channels of brokers that pass on what a queue drops: messages over
// its length (x-max-length, or a policy of the broker's operator), and those that have waited too
// long (a policy's message-ttl). Without it the broker drops them in silence; with it they go to an
// exchange of ours, from there to a queue of ours, and their routing key is the name of the queue
// that has dropped them. See QueueLimits.DeadLetters, and https://www.rabbitmq.com/docs/dlx.
//
// Like the other methods of a [Channel], its methods must only be called by the channel's owner.
type DeadLetters interface {
	// DeclareDeadLetters makes the exchange, which goes with its last binding, and the queue, which
	// is a stream's queue but for its length, and binds one to the other. Errors are *Error.
	DeclareDeadLetters(exchange, queue string) error
	// DeleteDeadLetters removes both, or the exchange alone where queue is empty; what is missing is
	// no error. An exchange that was made and never bound does not go by itself.
	DeleteDeadLetters(exchange, queue string) error
}

// deadLettersLength bounds the queue that dead letters come to, in messages: past it they are lost,
// when it is known long since that messages were dropped.
const deadLettersLength = 1000

// DeadLetterNames returns new names for an exchange and a queue of dead letters, below
// exchange/<namespace>/ and queue/<namespace>/: Pulse lets a user make no others.
func DeadLetterNames(namespace string) (exchange, queue string) {
	name := unique()
	return "exchange/" + namespace + "/dropped/" + name, "queue/" + namespace + "/dropped/" + name
}

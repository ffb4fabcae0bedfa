package actors

import (
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// binder binds a queue to exchanges, on a channel of the queue's link that lives no longer: a
// refusal ends that channel and not the one that the queue's messages come through. It is a value,
// and may be used by a goroutine.
type binder struct {
	link  amqp.Link
	queue string
}

// bind asks for all messages of an exchange. It waits for the broker's answer, at the longest until
// the link has ended. A panic of the port is returned as an error.
func (b binder) bind(exchange string) (err error) {
	defer recovered(&err)
	channel, err := b.link.Channel()
	if err != nil {
		return err
	}
	defer channel.Close()
	return channel.Bind(b.queue, allOf(exchange))
}

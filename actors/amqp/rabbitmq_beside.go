package amqp

import (
	"errors"
	"time"

	"github.com/rabbitmq/amqp091-go"
)

// What a channel does beside a stream's queue: for what queues drop, for canaries, and for publishers.

// DeclareDeadLetters is for what queues drop, see DeadLetters.
func (c *rabbitChannel) DeclareDeadLetters(exchange, queue string) error {
	return c.perform("declare", exchange, []string{exchange, queue}, func() error {
		const durable, autoDelete, internal, exclusive, noWait = false, true, true, true, false
		if err := c.channel.ExchangeDeclare(exchange, "fanout", durable, autoDelete, internal, noWait, nil); err != nil {
			return err
		}
		limits := QueueLimits{MaxLength: deadLettersLength}
		if _, err := c.channel.QueueDeclare(queue, durable, autoDelete, exclusive, noWait, QueueArguments(queue, limits)); err != nil {
			return err
		}
		return c.channel.QueueBind(queue, "", exchange, false, nil)
	})
}

// BindCanaries is for what shows whether a node is alone, see Canaries.
func (c *rabbitChannel) BindCanaries(queue, exchange string) error {
	err := c.perform("declare", exchange, []string{exchange, queue}, func() error {
		const durable, autoDelete, internal, noWait = false, true, false, false
		return c.channel.ExchangeDeclare(exchange, "fanout", durable, autoDelete, internal, noWait, nil)
	})
	if err != nil {
		return err
	}
	if err = c.Bind(queue, Binding{Exchange: exchange}); err != nil {
		c.removeUnused(exchange)
	}
	return err
}

// countingRest is how long a broker with a limit of channels may count one that it has closed: the next
// one would be one too many until then, which ends the link.
const countingRest = 250 * time.Millisecond

// removeUnused removes an exchange to which nothing is bound, on a channel in the place of this one,
// which a refusal has ended.
func (c *rabbitChannel) removeUnused(exchange string) {
	rest := time.NewTimer(countingRest)
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-c.link.lost:
	}
	other, err := c.link.channel()
	if err != nil {
		return
	}
	defer other.Close()
	const ifUnused, noWait = true, false
	_ = other.channel.ExchangeDelete(exchange, ifUnused, noWait) // another queue may be bound
}

// SendCanary publishes a canary, see Canaries.
func (c *rabbitChannel) SendCanary(exchange string, body []byte) error {
	return c.perform("publish", exchange, []string{exchange}, func() error {
		const mandatory, immediate = false, false
		err := c.channel.Publish(exchange, "", mandatory, immediate, amqp091.Publishing{Body: body})
		if errors.Is(err, amqp091.ErrClosed) {
			select {
			case end, told := <-c.ends:
				if told {
					return end
				}
			default:
			}
		}
		return err
	})
}

// DeleteDeadLetters is for what queues drop, see DeadLetters.
func (c *rabbitChannel) DeleteDeadLetters(exchange, queue string) error {
	if queue != "" {
		if err := c.Delete(queue); err != nil {
			return err
		}
	}
	return c.deleteExchange(exchange)
}

// What follows is for rabbitPublisher.

func (c *rabbitChannel) confirm() error {
	return c.perform("open publisher", "", nil, func() error { return c.channel.Confirm(false) })
}

func (c *rabbitChannel) declareExchange(exchange, kind string) error {
	return c.perform("declare", exchange, nil, func() error {
		const durable, autoDelete, internal, noWait = false, false, false, false
		return c.channel.ExchangeDeclare(exchange, kind, durable, autoDelete, internal, noWait, nil)
	})
}

func (c *rabbitChannel) deleteExchange(exchange string) error {
	return c.perform("delete", exchange, []string{exchange}, func() error {
		return c.channel.ExchangeDelete(exchange, false, false)
	})
}

// publish waits for the broker's confirmation, which follows the routing.
func (c *rabbitChannel) publish(exchange, routingKey string, m Message) error {
	return c.perform("publish", exchange, nil, func() error {
		message := amqp091.Publishing{ContentType: m.ContentType, Body: m.Body}
		if m.CC != nil {
			message.Headers = amqp091.Table{"CC": anyList(m.CC)}
		}
		confirmation, err := c.channel.PublishWithDeferredConfirm(exchange, routingKey, false, false, message)
		if err != nil || confirmation.Wait() {
			return err
		}
		if !c.channel.IsClosed() {
			return errNacked
		}
		if end, told := <-c.ends; told { // closed or told before the confirmation ended
			return end
		}
		return amqp091.ErrClosed
	})
}

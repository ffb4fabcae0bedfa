package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/clients"
)

// A28: an exchange that is deleted and made again is heard again; one that stays away ends its
// streams, and no others.
func TestA28AnExchangeThatIsMadeAgainIsHeardAgain(t *testing.T) {
	eachMode(t, settings{limits: actors.Limits{RebindEvery: time.Second}}, func(r *rig) {
		r.declare("exchange/tc/goes")
		stays, goes := r.ready(exchange, "#"), r.ready("exchange/tc/goes", "#")
		r.delete(exchange)
		r.declare(exchange)
		// A broker may list a binding before it routes by it: messages alone show that it does.
		last := 0
		r.eventually("the exchange is heard again", func() error {
			last++
			if err := r.tryPublish(last, 1, 0); err != nil {
				return err
			}
			if stays.Received().Messages == 0 {
				return fmt.Errorf("none of %d messages has come", last)
			}
			return nil
		})
		r.publish(last+1, 5, 0)
		last += 5
		r.awaits(stays, messagesUpTo(last))
		r.delete("exchange/tc/goes")
		r.awaits(goes, endsWith(actors.BindingRefused))
		r.publish(last+1, 5, 0)
		r.awaits(stays, messagesUpTo(last+5))
		stays.Close()
		r.clean()
	})
}

// messagesUpTo waits for the message of that number, with all between the first that came and it.
func messagesUpTo(last int) func(clients.Received) error {
	return func(received clients.Received) error {
		numbers := received.Numbers()
		if received.LastNumber() != last || len(numbers) != last-numbers[0]+1 {
			return fmt.Errorf("the messages %d have come, not all up to %d", numbers, last)
		}
		return nil
	}
}

func (r *rig) delete(exchange string) {
	r.Helper()
	publisher := r.publisher()
	defer publisher.Close()
	r.do(publisher.Delete(r.Context(), exchange))
}

// A29: what a policy of the broker's operator drops from a stream's queue, by length or by age,
// ends the stream and is counted; under Pulse's rights. A stream that loses nothing goes on.
func TestA29WhatAPolicyDropsIsTold(t *testing.T) {
	for name, definition := range map[string]string{"length": `{"max-length":5}`, "age": `{"message-ttl":1}`} {
		t.Run(name, func(t *testing.T) {
			limits := actors.Limits{Prefetch: 2, SlowAfter: time.Hour}
			r := onRabbitMQ(t, settings{limits: limits})
			r.do(r.node.SetPolicy(r.Context(), r.vhost, "drops", "^queue/", definition))
			loses, quiet := r.ready(exchange, "#"), r.ready(exchange, "other.#")
			loses.Stall()
			r.publish(1, 300, 64<<10) // more than the sockets between hold
			r.eventually("drops are counted", func() error {
				if r.proxy.System.Stats().Dropped == 0 {
					return fmt.Errorf("none is")
				}
				return nil
			})
			loses.Resume()
			if err := r.wait(loses, endsWith(actors.MessagesDropped)); err != nil {
				t.Fatalf("%v\n%s", err, loses.Received())
			}
			if quiet.Received().Ended {
				t.Errorf("a stream that lost nothing has ended: %s", quiet.Received())
			}
			quiet.Close()
			r.clean()
		})
	}
}

package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// A28: an exchange that is deleted and made again is heard again; one that stays away ends its
// streams, and no others.
func TestA28AnExchangeThatIsMadeAgainIsHeardAgain(t *testing.T) {
	eachMode(t, settings{limits: actors.Limits{RebindEvery: time.Second}}, func(r *rig, _ *rabbit.Node) {
		r.declare("exchange/tc/goes")
		stays, goes := r.ready(exchange, "#"), r.ready("exchange/tc/goes", "#")
		r.delete(exchange)
		r.declare(exchange)
		r.eventually("both bindings are there", func() error {
			ctx, cancel := r.bounded()
			defer cancel()
			census, err := r.broker.Census(ctx)
			if n := census.Bindings - census.DeadLetters; err == nil && n != 2 {
				err = fmt.Errorf("%d bindings", n)
			}
			return err
		})
		r.publish(1, 5, 0)
		r.awaits(stays, messages(5))
		r.delete("exchange/tc/goes")
		r.awaits(goes, endsWith(actors.BindingRefused))
		r.publish(6, 5, 0)
		r.awaits(stays, messages(10))
		stays.Close()
		r.clean()
	})
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
			r.do(rabbit.Run(t).SetPolicy(r.Context(), r.vhost, "drops", "^queue/", definition))
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

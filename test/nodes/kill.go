package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/clients"
)

// backWithin is when 99 of 100 clients must be ready again, from a node's end on.
const backWithin = 5 * time.Second

// kill: a node is killed. Only its streams are told; the others miss none of the messages that are
// published meanwhile; and 99 of 100 of those who were told are ready again within five seconds.
func kill(r *rig) error {
	counts, err := r.start()
	if err != nil {
		return err
	}
	const victim = 1
	stop, err := r.publish(victim + 1)
	if err != nil {
		return err
	}
	defer stop()
	if err := r.pause(2 * time.Second); err != nil { // some messages before, for all
		return err
	}
	at := time.Now()
	if err := r.cluster.Node(victim).Kill(); err != nil {
		return err
	}
	if err := r.pause(backWithin); err != nil {
		return err
	}
	if err := r.everybody(); err != nil {
		return err
	}
	stop()
	told, back, tries := r.toldSince(at)
	fmt.Printf("kill: streams on the nodes %v, node %d killed: %d told\n", counts, victim, len(told))
	fmt.Printf("  from the node's end to the error event: %s\n", told)
	fmt.Printf("  from the node's end to ready again:     %s; %.2f streams opened for each\n", back, float64(tries)/float64(len(told)))
	missed := r.missed()
	fmt.Printf("  messages missed inside a stream: %d\n", missed)
	var wrong []error
	if len(told) != counts[victim] {
		wrong = append(wrong, fmt.Errorf("%d streams were told, and the node had %d", len(told), counts[victim]))
	}
	if got := back.quantile(0.99); got > backWithin {
		wrong = append(wrong, fmt.Errorf("99 of 100 are back after %s, not %s", got, backWithin))
	}
	if missed > 0 {
		wrong = append(wrong, errors.New("messages were missed inside a stream"))
	}
	return errors.Join(wrong...)
}

// toldSince returns when clients were told that their stream ends, and were ready again, counted
// from a moment; and how many streams they have opened for that.
func (r *rig) toldSince(at time.Time) (told, back times, tries int) {
	for _, c := range r.crowd {
		for _, g := range gaps(c) {
			if g.from.After(at) {
				told, back = append(told, g.from.Sub(at)), append(back, g.to.Sub(at))
				tries += g.tries
			}
		}
	}
	return told, back, tries
}

// publishEvery is the time between two messages, each for every stream.
const publishEvery = 250 * time.Millisecond

// publish puts numbered messages into the exchange through one node, until stop is called. A message
// that was also for a queue that has ended with its node is nacked: the other queues have it.
func (r *rig) publish(node int) (stop func(), err error) {
	dialer, err := amqp.NewRabbitMQ(r.cluster.Node(node).URL(), amqp.RabbitMQOptions{})
	if err != nil {
		return nil, err
	}
	publisher, err := dialer.Publisher(r.ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(r.ctx)
	var work sync.WaitGroup
	work.Go(func() {
		defer publisher.Close()
		ticks := time.NewTicker(publishEvery)
		defer ticks.Stop()
		for n := 1; ; n++ {
			_ = publisher.Publish(ctx, exchange, "nodes.x", amqp.Message{Body: fmt.Appendf(nil, `{"n":%d}`, n)})
			select {
			case <-ticks.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return sync.OnceFunc(func() { cancel(); work.Wait() }), nil
}

// missed returns how many messages the streams have missed between the first and the last of each.
func (r *rig) missed() (count int) {
	for _, c := range r.crowd {
		for _, s := range c.Streams() {
			count += missedIn(s.Received())
		}
	}
	return count
}

func missedIn(received clients.Received) (count int) {
	last := 0
	for _, n := range received.Numbers() {
		if last > 0 {
			count += n - last - 1
		}
		last = n
	}
	return count
}

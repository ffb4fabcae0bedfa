package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// muteStarts is how often the proxy is started: it tries addresses in a random order.
const muteStarts = 12

// mute: of three addresses one takes connections and never says a word, one refuses, one is good. A
// stream that is opened as soon as the proxy listens is ready within the time of one dial.
func mute(r *rig) error {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes connections for it
	if err != nil {
		return err
	}
	defer silent.Close()
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	refusing.Close()
	broker := fmt.Sprintf("amqp://guest:guest@%s,%s,%s/", silent.Addr(), refusing.Addr(), r.cluster.Node(0).Address())
	var waits times
	for range muteStarts {
		wait, err := firstReady(r.ctx, r.binary, broker)
		if err != nil {
			return err
		}
		waits = append(waits, wait)
	}
	fmt.Printf("mute: %d starts, from the request to ready: %s\n", muteStarts, waits)
	if got := waits.quantile(1); got > amqp.DialTimeout {
		return fmt.Errorf("a stream was ready after %s", got)
	}
	return nil
}

// firstReady returns how long the first stream of a new process waits for ready.
func firstReady(ctx context.Context, binary, broker string) (time.Duration, error) {
	proxy, err := chaos.StartTame(binary, broker)
	if err != nil {
		return 0, err
	}
	wait, err := ready(ctx, proxy.URL())
	return wait, errors.Join(err, proxy.Close())
}

func ready(ctx context.Context, proxy string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s, err := clients.Open(ctx, proxy+script.ConnectPath+"?"+script.Query(exchange, "nodes.#"), clients.Options{})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if err := s.Wait(ctx, func(r clients.Received) error {
		if !r.Ready() {
			return errors.New("not ready")
		}
		return nil
	}); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, s.Received())
	}
	events := s.Received().Events
	return events[len(events)-1].At, nil
}

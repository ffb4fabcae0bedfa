package actors_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// A program that starts before its broker waits for it in one call, and for no longer than it wants.
func TestReadyWaitsForTheBroker(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		f.broker.Stop()
		f.until("the link is lost", func() bool { return !f.Health().BrokerUp })
		soon, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := f.System.Ready(soon); !errors.Is(err, context.DeadlineExceeded) {
			f.t.Errorf("without a broker: %v", err)
		}
		waited := make(chan error, 1)
		go func() { waited <- f.System.Ready(context.Background()) }() // ends with the broker's return
		synctest.Wait()
		f.broker.Start()
		if err := <-waited; err != nil {
			f.t.Error(err)
		}
		if !f.Health().BrokerUp {
			f.t.Error("ready without a broker")
		}
	})
}

// Who waits for a System that ends hears of that.
func TestReadyEndsWithTheSystem(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		f.broker.Stop()
		f.until("the link is lost", func() bool { return !f.Health().BrokerUp })
		waited := make(chan error, 1)
		go func() { waited <- f.System.Ready(context.Background()) }() // ends with the System
		f.System.Close()
		if err := <-waited; actors.CodeOf(err) != actors.Draining {
			f.t.Error(err)
		}
	})
}

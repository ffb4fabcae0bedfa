package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/config"
)

var discard = slog.New(slog.DiscardHandler)

// The process ends at the hard end, even if nothing else does.
func TestHardEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		stuck := make(chan struct{})
		status := drain(config.Drain{Time: 2 * time.Second, HardEnd: 5 * time.Second}, discard, func(context.Context) error { <-stuck; return nil })
		if took := time.Since(begin); status != failed || took != 5*time.Second {
			t.Errorf("status %d after %v", status, took)
		}
		close(stuck)
	})
}

// The hard end holds while nothing that is logged can be written.
func TestHardEndWhileTheLogIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		stuck := make(chan struct{})
		log := newServiceLog(stuckWriter(stuck), config.Server{})
		status := drain(config.Drain{Time: 2 * time.Second, HardEnd: 5 * time.Second}, log.Logger, func(context.Context) error { <-stuck; return nil })
		log.out.close(lastWords)
		if took := time.Since(begin); status != failed || took != 5*time.Second+lastWords {
			t.Errorf("status %d after %v", status, took)
		}
		close(stuck)
	})
}

// stuckWriter is a log that takes nothing until it is closed.
type stuckWriter chan struct{}

func (s stuckWriter) Write(p []byte) (int, error) { <-s; return len(p), nil }

// What has not ended at the drain time is cut then, and the exit status shows it.
func TestDrainTimeBoundsTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		status := drain(config.Drain{Time: 2 * time.Second, HardEnd: 5 * time.Second}, discard, func(ctx context.Context) error {
			<-ctx.Done()
			return errors.New("3 streams are left")
		})
		if took := time.Since(begin); status != failed || took != 2*time.Second {
			t.Errorf("status %d after %v", status, took)
		}
	})
}

// A process that can accept no clients any more ends, so that it is restarted; it does not linger
// with a green light.
func TestProcessEndsWithItsListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var log output
	p := newProcess(nil, io.Discard, &log)
	status := p.proxy(t.Context(), config.Default(), amqp.NewMemory(), listener, reloads{}, func(string) { listener.Close() })
	if status != failed || !strings.Contains(log.String(), "a server has ended") {
		t.Errorf("status %d:\n%s", status, log.String())
	}
}

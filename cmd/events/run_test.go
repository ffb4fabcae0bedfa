package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"reflect"
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

// What has not ended at the drain time is cut then, and the status tells.
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

// A process that can accept no clients any more ends, so that it is restarted;
// it does not linger with a green light.
func TestProcessEndsWithItsListener(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var log output
	p := process{stdout: io.Discard, stderr: &log}
	status := p.proxy(t.Context(), config.Default(), amqp.NewMemory(), listener, func(string) { listener.Close() })
	if status != failed || !strings.Contains(log.String(), "a server has ended") {
		t.Errorf("status %d:\n%s", status, log.String())
	}
}

// Every setting of limits and server has an effect: it changes what the actors
// or the HTTP face are given.
func TestEverySettingReachesItsOption(t *testing.T) {
	elsewhere := map[string]bool{ // each has a test of its own, from outside
		"server.port": true, "server.host": true, "server.tlsCertificate": true, "server.tlsKey": true, "server.operator": true, "server.debug": true, "server.logFormat": true,
		"drain.spread": true, "drain.time": true, "drain.hardEnd": true,
		"pulse.url": true, "pulse.username": true, "pulse.password": true, "pulse.hostname": true, "pulse.vhost": true,
	}
	values := map[string]string{ // what is not the default and fits the kind
		"bool": "true", "number": "7", "duration": "7s", "bytes": "7KiB", "list": "https://a.example.org", "url": "https://b.example.org", "text": "x",
	}
	options := func(args ...string) []any {
		c, err := config.Load(args, func(string) string { return "" }, func(string) ([]byte, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		return []any{systemOptions(c, nil, discard), handlerOptions(c, "http://localhost:1", discard)}
	}
	for _, s := range config.Settings {
		if elsewhere[s.Key] {
			continue
		}
		if reflect.DeepEqual(options(), options("--"+s.Flag+"="+values[s.Kind()])) {
			t.Errorf("%s changes nothing", s.Key)
		}
	}
}

// The broker's own limit, which drops in silence, stays above ours, which tells.
func TestBacklogIsReachedBeforeTheBrokersLimit(t *testing.T) {
	for _, backlog := range []int{1, 100_000, amqp.DefaultMaxLength, 1 << 31} {
		if maxLength(backlog) <= backlog {
			t.Errorf("x-max-length %d for a backlog of %d", maxLength(backlog), backlog)
		}
	}
}

// Where no root URL is set the proxy names the address that it has in fact.
func TestRootURL(t *testing.T) {
	const self = "http://localhost:4711"
	for args, want := range map[string]string{"": self, "--port=0": self, "--root-url=https://x": "https://x", "--force-ssl": "", "--force-ssl --root-url=https://x": "https://x"} {
		c, err := config.Load(strings.Fields(args), func(string) string { return "" }, func(string) ([]byte, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		if got := rootURL(c, self); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}

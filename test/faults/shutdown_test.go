package faults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// A19: SIGTERM with a thousand streams open. Every one ends on a frame boundary
// with ServerShutdown, a client that comes meanwhile is refused with 503 and told when to
// come again, no queue is left, and the exit status is 0.
func TestA19SIGTERMEndsAThousandStreamsInOrder(t *testing.T) {
	const count = 1000
	vhost := withUser(t, "drained")
	url, process := serveEvents(t, vhost.URL("drained", "secret"), "--drain-spread=2s")
	streams := openAll(t, url, count)
	late := make(chan *clients.Stream, 1)
	go func() { late <- firstRefused(t, url) }()

	if err := process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i, s := range streams {
		if err := s.Wait(ctx, endsWith(actors.ServerShutdown)); err != nil {
			t.Fatalf("stream %d: %v\n%s", i, err, s.Received())
		}
	}
	if s := <-late; s == nil || s.Header.Get("Retry-After") == "" {
		t.Error("no client was refused with 503 and Retry-After during the drain")
	}
	if state, err := process.Wait(); err != nil || state.ExitCode() != 0 {
		t.Errorf("the process has ended with %v (%v)", state, err)
	}
	if err := vhost.Clean(t.Context()); err != nil {
		t.Error(err)
	}
}

// withUser makes a virtual host with the default exchange, and a user of Pulse.
func withUser(t *testing.T, name string) *rabbit.VHost {
	t.Helper()
	node := rabbit.Run(t)
	if err := node.AddUser(t.Context(), name, "secret"); err != nil {
		t.Fatal(err)
	}
	vhost, err := node.VHost(t.Context(), name, name, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := errors.Join(vhost.Delete(ctx), node.DeleteUser(ctx, name)); err != nil {
			t.Error(err)
		}
	})
	admin, err := amqp.NewRabbitMQ(vhost.AdminURL(), amqp.RabbitMQOptions{})
	if err != nil {
		t.Fatal(err)
	}
	publisher, err := admin.Publisher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.Close()
	if err := publisher.Declare(t.Context(), exchange, "topic"); err != nil {
		t.Fatal(err)
	}
	return vhost
}

// serveEvents builds the program and starts it as an operator does.
func serveEvents(t *testing.T, broker string, flags ...string) (url string, process *os.Process) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "events")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../cmd/events").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	command := exec.Command(program, append([]string{"serve", "--host=127.0.0.1", "--port=0"}, flags...)...)
	command.Env = append(rabbit.Environ(), "PULSE_URL="+broker)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill() })
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("the program has not said where it listens: %v", err)
	}
	go io.Copy(io.Discard, lines) // ends with the program
	return strings.TrimSpace(strings.TrimPrefix(line, "listening on ")), command.Process
}

// openAll opens streams, fifty at a time, and waits until all are ready.
func openAll(t *testing.T, url string, count int) []*clients.Stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	streams, places := make([]*clients.Stream, count), make(chan struct{}, 50)
	var opening sync.WaitGroup
	for i := range streams {
		opening.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			s, err := clients.Open(ctx, url+script.ConnectPath+"?"+script.Query(exchange, "#"), clients.Options{})
			if err == nil {
				t.Cleanup(s.Close)
				err = s.Wait(ctx, isReady)
			}
			if streams[i] = s; err != nil {
				t.Error(fmt.Errorf("stream %d: %w", i, err))
			}
		})
	}
	opening.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return streams
}

// firstRefused comes again and again until it is refused with 503; nil if the
// process is gone before.
func firstRefused(t *testing.T, url string) *clients.Stream {
	for {
		s, err := clients.Open(t.Context(), url+script.ConnectPath+"?"+script.Query(exchange, "#"), clients.Options{})
		if err != nil {
			return nil
		}
		s.Close()
		if s.Status == 503 {
			return s
		}
	}
}

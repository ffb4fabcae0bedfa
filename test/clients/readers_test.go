package clients_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gosse "github.com/tmaxmax/go-sse"

	"github.com/taskcluster/events-proxy/test/clients"
)

// reading is another client at work; it ends when that client has given up.
type reading struct {
	events []clients.Event
	err    error
	done   chan struct{}
}

func (r *reading) wait(t *testing.T, name string) []clients.Event {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s still reads, long after its stream has ended", name)
	}
	if r.err != nil {
		t.Error(r.err)
	}
	return r.events
}

// readers starts every client on the stream; they end with the test.
func readers(t *testing.T, url string) map[string]*reading {
	t.Helper()
	if _, err := clients.NodeModules(t.Context()); err != nil {
		t.Fatal(err)
	}
	return map[string]*reading{
		"Node's eventsource 1.x":    program(t, readJSON, "node", "read.mjs", "eventsource-first", url),
		"Node's newest eventsource": program(t, readJSON, "node", "read.mjs", "eventsource-newest", url),
		"curl":                      program(t, readFrames, "curl", "--no-buffer", "--silent", "--show-error", url),
		"github.com/tmaxmax/go-sse": library(t, url),
	}
}

// program starts one that prints what it reads; parse turns that into events.
func program(t *testing.T, parse func(io.Reader) ([]clients.Event, error), name string, args ...string) *reading {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is not installed (make programs installs it): %v", name, err)
	}
	command := exec.CommandContext(t.Context(), path, args...)
	var complaints strings.Builder
	command.Stderr = &complaints
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	r := &reading{done: make(chan struct{})}
	go func() { // ends with the program, which ends with the test
		defer close(r.done)
		r.events, r.err = parse(out)
		if err := command.Wait(); err != nil {
			r.err = errors.Join(r.err, fmt.Errorf("%s: %w: %s", filepath.Base(path), err, complaints.String()))
		}
	}()
	return r
}

// readJSON reads what read.mjs prints.
func readJSON(out io.Reader) (events []clients.Event, err error) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		e, err := decodeLine(lines.Text())
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	return events, lines.Err()
}

// readFrames reads the bytes of the stream, by the letter of our contract and
// not by a decoder: each frame is three lines and an empty one.
func readFrames(out io.Reader) (events []clients.Event, err error) {
	all, err := io.ReadAll(out)
	if err != nil {
		return nil, err
	}
	text, whole := strings.CutSuffix(string(all), "\n\n")
	if !whole {
		return nil, errors.New("the stream does not end where a frame ends")
	}
	for _, frame := range strings.Split(text, "\n\n") {
		fields := strings.Split(frame, "\n")
		if len(fields) != 3 || !strings.HasPrefix(fields[0], "event: ") || !strings.HasPrefix(fields[1], "data: ") || !strings.HasPrefix(fields[2], "id: ") {
			return events, fmt.Errorf("a frame of another form: %q", frame)
		}
		events = append(events, clients.Event{Name: fields[0][7:], Data: fields[1][6:], ID: fields[2][4:]})
	}
	return events, nil
}

// library reads with a Go library, which reconnects by itself until it is
// answered 204.
func library(t *testing.T, url string) *reading {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client := gosse.Client{
		HTTPClient: &http.Client{Transport: transport},
		Backoff:    gosse.Backoff{InitialInterval: 10 * time.Millisecond},
	}
	connection := client.NewConnection(request)
	connection.Buffer(nil, 1<<20)
	r := &reading{done: make(chan struct{})}
	connection.SubscribeToAll(func(e gosse.Event) {
		r.events = append(r.events, clients.Event{Name: e.Type, Data: e.Data, ID: e.LastEventID})
	})
	go func() { // ends at the 204, or with the test
		defer close(r.done)
		if err := connection.Connect(); !strings.Contains(fmt.Sprint(err), "204") && !errors.Is(err, context.Canceled) {
			r.err = fmt.Errorf("go-sse has ended for another reason than a 204: %w", err)
		}
	}()
	return r
}

package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fullPipe returns a pipe that takes no further byte until it is read.
func fullPipe(t *testing.T) (reader, writer *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { reader.Close(); writer.Close() })
	must(t, writer.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
	for chunk := make([]byte, 4096); err == nil; {
		_, err = writer.Write(chunk)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return reader, writer
}

// demoLoggingTo starts the demo with an operator's listener and a log of every kind of line.
func demoLoggingTo(t *testing.T, log *os.File, args ...string) *instance {
	t.Helper()
	command := exec.Command(program, append([]string{"demo", "--port=0", "--operator=127.0.0.1:0"}, args...)...)
	command.Stderr = log
	return startCommand(t, command, []string{"EVENTS_LOG_LEVEL=debug"})
}

// A log that is not read any more, by a collector that hangs, is the operator's loss, and not the
// clients': streams come, are served and end, and the process ends in good order.
func TestLogThatIsNotReadStopsNothing(t *testing.T) {
	_, log := fullPipe(t)
	events := demoLoggingTo(t, log)
	stream := events.openDemo()
	for range 20 {
		events.get("/api/events/v1/connect/?bindings=nonsense")
	}
	stream.readsMessages(2)
	events.signal(syscall.SIGTERM)
	stream.endsWith("ServerShutdown")
	events.ends(succeeded)
}

// The reader of the log ends: so does the log, and nothing else. The lines that are lost are
// counted.
func TestLogWhoseReaderHasEndedStopsNothing(t *testing.T) {
	reader, log, err := os.Pipe()
	must(t, err)
	defer log.Close()
	events := demoLoggingTo(t, log)
	operators := events.says(`operators on (\S+)`)[1]
	must(t, reader.Close())
	stream := events.openDemo()
	stream.readsMessages(1)
	for deadline := time.Now().Add(patience); events.metric(operators, "events_log_dropped_lines_total") == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the line of the stream's start is lost, and not counted as dropped")
		}
	}
	events.signal(syscall.SIGTERM)
	stream.endsWith("ServerShutdown")
	events.ends(succeeded)
}

// metric returns the value of a metric without labels.
func (in *instance) metric(operators, name string) float64 {
	in.t.Helper()
	_, text := in.get(operators + "/metrics")
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(text)
	if found == nil {
		in.t.Fatalf("no metric %s", name)
	}
	value, err := strconv.ParseFloat(found[1], 64)
	must(in.t, err)
	return value
}

// demoStream is a client of the demo.
type demoStream struct {
	t      *testing.T
	frames chan frame // closed at its end
}

// openDemo opens a stream of the demo's messages.
func (in *instance) openDemo() *demoStream {
	in.t.Helper()
	body := in.open(in.says(`curl -N '(http[^']+)'`)[1]).Body
	in.t.Cleanup(func() { body.Close() })
	s := &demoStream{in.t, make(chan frame, 1000)}
	go func() { // ends with the stream
		defer close(s.frames)
		for f := range frames(body) {
			s.frames <- f
		}
	}()
	return s
}

// next returns the next frame; ok is false at the end.
func (s *demoStream) next() (f frame, ok bool) {
	s.t.Helper()
	select {
	case f, ok = <-s.frames:
		return f, ok
	case <-time.After(patience):
		s.t.Fatal("no frame comes")
		return f, false
	}
}

func (s *demoStream) readsMessages(n int) {
	s.t.Helper()
	for n > 0 {
		f, ok := s.next()
		if !ok {
			s.t.Fatal("the stream has ended")
		}
		if f.name == "message" {
			n--
		}
	}
}

func (s *demoStream) endsWith(code string) {
	s.t.Helper()
	var last frame
	for f, ok := s.next(); ok; f, ok = s.next() {
		last = f
	}
	if found, _ := regexp.MatchString(`"code":"`+code+`"`, last.data); !found || last.name != "error" {
		s.t.Fatalf("the stream ends with %+v", last)
	}
}

// Out of file descriptors the proxy accepts no client, says so once, and serves those it has; with
// descriptors again it accepts as before.
func TestOutOfDescriptorsIsOneLineAndOpenStreamsGoOn(t *testing.T) {
	command := exec.Command("sh", "-c", `ulimit -n 40; exec "$0" "$@"`, program, "demo", "--port=0", "--operator=127.0.0.1:0")
	events := startCommand(t, command, nil)
	operators := events.says(`operators on (\S+)`)[1]
	events.get(operators + "/metrics") // the connection stays open, so that it can be asked
	stream := events.openDemo()
	address := strings.TrimPrefix(events.url, "http://")
	var sockets []net.Conn
	for range 60 {
		socket, err := net.DialTimeout("tcp", address, patience) // the kernel's queue takes them
		must(t, err)
		defer socket.Close()
		sockets = append(sockets, socket)
	}
	events.says("no connection can be accepted; open streams go on.*too many open files")
	stream.readsMessages(2)
	for deadline := time.Now().Add(patience); events.metric(operators, "events_http_accept_failures_total") < 3; {
		if time.Now().After(deadline) {
			t.Fatal("the failures are not counted")
		}
	}
	for _, socket := range sockets {
		socket.Close()
	}
	events.openDemo().readsMessages(1)
	if lines := strings.Count(events.out.String(), "no connection can be accepted"); lines != 1 {
		t.Errorf("%d lines:\n%s", lines, events.out.String())
	}
}

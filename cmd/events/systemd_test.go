package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager is the socket of a service manager.
type manager struct {
	t      *testing.T
	socket *net.UnixConn
	name   string
}

func startManager(t *testing.T, name string) *manager {
	t.Helper()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	must(t, err)
	t.Cleanup(func() { socket.Close() })
	return &manager{t, socket, name}
}

// hears returns the assignments of the next datagram.
func (m *manager) hears() map[string]string {
	m.t.Helper()
	must(m.t, m.socket.SetReadDeadline(time.Now().Add(patience)))
	datagram := make([]byte, 4096)
	n, err := m.socket.Read(datagram)
	must(m.t, err)
	all := map[string]string{}
	for line := range strings.SplitSeq(string(datagram[:n]), "\n") {
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			m.t.Errorf("%q is no assignment", line)
		}
		all[name] = value
	}
	return all
}

// number is a value that is one.
func (m *manager) number(text string) int64 {
	m.t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	must(m.t, err)
	return n
}

// A unit of Type=notify is started when the proxy listens, reloading while it reloads, and has the
// time that a drain takes, whatever its own TimeoutStopSec is.
func TestSystemdIsTold(t *testing.T) {
	folder, err := os.MkdirTemp("", "sd") // the names of sockets are short
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(folder) })
	for _, name := range []string{filepath.Join(folder, "socket"), fmt.Sprint("@events-test-", os.Getpid())} {
		systemd := startManager(t, name)
		file := filepath.Join(t.TempDir(), "s.yml")
		must(t, os.WriteFile(file, []byte("production: {}\n"), 0o600))
		events := start(t, []string{"PULSE_URL=" + noBroker, "NOTIFY_SOCKET=" + name}, "serve", "--port=0", "--config", file, "--drain-delay=100ms", "--drain-hard-end=40s")

		up := systemd.hears()
		if up["READY"] != "1" || up["STATUS"] != "listening on "+events.url {
			t.Errorf("after the start: %v", up)
		}
		if status, _ := events.get("/__lbheartbeat__"); status != 200 {
			t.Errorf("ready, and it answers %d", status)
		}
		for settings, want := range map[string]string{
			"production: {limits: {streams: 1}}\n": "listening on " + events.url,
			"production: {limits: {streams: x}}\n": "listening on " + events.url + "; the last reload failed: the old settings stay",
		} {
			must(t, os.WriteFile(file, []byte(settings), 0o600))
			asked := monotonic()
			events.signal(syscall.SIGHUP)
			began, ended := systemd.hears(), systemd.hears()
			if at := systemd.number(began["MONOTONIC_USEC"]); began["RELOADING"] != "1" || at < asked || at > monotonic() {
				t.Errorf("asked to reload at %d: %v", asked, began)
			}
			if ended["READY"] != "1" || ended["STATUS"] != want {
				t.Errorf("%safter the reload: %v", settings, ended)
			}
		}
		events.signal(syscall.SIGTERM)
		stopping := systemd.hears()
		if least := (40*time.Second + 100*time.Millisecond).Microseconds(); stopping["STOPPING"] != "1" || systemd.number(stopping["EXTEND_TIMEOUT_USEC"]) < least {
			t.Errorf("for a drain of at most %d µs: %v", least, stopping)
		}
		events.ends(succeeded)
	}
}

// A socket that is not there, or may not be used (RestrictAddressFamilies), is a line in the log: the
// service serves.
func TestSystemdThatIsNotThereIsReported(t *testing.T) {
	events := start(t, []string{"PULSE_URL=" + noBroker, "NOTIFY_SOCKET=/nowhere"}, "serve", "--port=0")
	events.says(`level=WARN msg="systemd cannot be told about the service's state" error=".*/nowhere`)
	if status, _ := events.get("/__lbheartbeat__"); status != 200 {
		t.Errorf("it answers %d", status)
	}
	events.signal(syscall.SIGTERM)
	events.ends(succeeded)
}

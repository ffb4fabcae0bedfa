package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/script"
)

// Process is `events serve` as a process of its own; a script.Proxy.
type Process struct {
	Remote
	command  *exec.Cmd
	log      lines
	tap      *tap          // the log comes through it
	password string        // must not be in the log
	ended    chan struct{} // closed when the process has ended
	status   error         // of its end; set before ended is closed
}

// lastWords is how much of a log is shown where the process did not end well, in bytes.
const lastWords = 8 << 10

// processPatience bounds the process's start and its end.
const processPatience = 20 * time.Second

// Start runs the binary against a broker, with further flags, on free ports.
func Start(binary, broker string, flags ...string) (*Process, error) {
	return start(binary, broker, nil, nil, append([]string{"--chaos"}, flags...))
}

// StartTame is Start without --chaos: no actor can be made to fail.
func StartTame(binary, broker string, flags ...string) (*Process, error) {
	return start(binary, broker, nil, nil, flags)
}

// start calls hear for each line of the process's log as it comes, from one
// goroutine; nil: for none.
func start(binary, broker string, environment []string, hear func(line string), flags []string) (*Process, error) {
	p := &Process{ended: make(chan struct{}), password: "\x00"} // in no log
	if password := passwordIn(broker); password != "" && password != "guest" {
		p.password = password
	}
	flags = append([]string{"serve", "--host", "127.0.0.1", "--port", "0", "--operator", "127.0.0.1:0",
		"--linger", "100ms", "--drain-spread", "100ms"}, flags...)
	p.command = exec.Command(binary, flags...)
	p.command.Env = append(append(rabbit.Environ(), "PULSE_URL="+broker), environment...)
	p.command.Dir = os.TempDir() // no settings file of the user's
	// A group of its own: Ctrl-C is for the program that plays the script, not for the proxy.
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	said := newLines()
	p.log.hear = hear
	var err error
	p.command.Stdout = said
	if p.tap, err = newTap(&p.log); err != nil {
		return nil, err
	}
	p.command.Stderr = p.tap.in
	if err := p.command.Start(); err != nil {
		p.tap.end()
		return nil, err
	}
	go func() { // ends with the process
		p.status = p.command.Wait()
		p.tap.end()
		close(p.ended)
	}()
	if p.Remote.Proxy, err = p.heard(said, "listening on "); err == nil {
		p.Remote.Operators, err = p.heard(said, "operators on ")
	}
	if err != nil {
		p.command.Process.Kill()
		<-p.ended
		return nil, fmt.Errorf("%w\n%s", err, p.log.String())
	}
	return p, nil
}

// passwordIn returns the password in a broker's URL, whose host may be a list.
func passwordIn(broker string) string {
	_, rest, _ := strings.Cut(broker, "://")
	user, _, _ := strings.Cut(rest, "@")
	_, password, _ := strings.Cut(user, ":")
	if plain, err := url.PathUnescape(password); err == nil {
		return plain
	}
	return password
}

// ForScripts starts the process that a script asks for.
func ForScripts(binary string) func(script.Broker, script.Settings) (script.Proxy, error) {
	return func(b script.Broker, s script.Settings) (script.Proxy, error) {
		return Start(binary, b.(interface{ URL() string }).URL(), flags(b, s)...)
	}
}

// ForRandom starts the process for random harm: with a limit of memory in bytes,
// which becomes its GOMEMLIMIT (0: none), and hear for the lines of its log.
func ForRandom(binary string, b script.Broker, s script.Settings, memory int64, hear func(string)) (*Process, error) {
	var environment []string
	if memory > 0 {
		environment = append(environment, fmt.Sprintf("GOMEMLIMIT=%d", memory))
	}
	return start(binary, b.(interface{ URL() string }).URL(), environment, hear, append([]string{"--chaos"}, flags(b, s)...))
}

// heard waits until the process says a line that begins so, and returns the rest.
func (p *Process) heard(said *lines, beginning string) (string, error) {
	deadline := time.After(processPatience)
	for {
		for line := range strings.Lines(said.String()) {
			if rest, ok := strings.CutPrefix(strings.TrimSpace(line), beginning); ok {
				return rest, nil
			}
		}
		select {
		case <-said.more:
		case <-p.ended:
			return "", fmt.Errorf("the proxy ended at once: %v", p.status)
		case <-deadline:
			return "", fmt.Errorf("the proxy did not say %q", beginning)
		}
	}
}

// Drain sends SIGTERM; the process must end, with status 0. Its spread is the
// process's own.
func (p *Process) Drain(ctx context.Context, _ time.Duration) error {
	_ = p.Continue() // one that is stopped would not hear
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return p.verdict()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the process, if it is still there.
func (p *Process) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), processPatience)
	defer cancel()
	err := p.Drain(ctx, 0)
	if errors.Is(err, os.ErrProcessDone) {
		return p.verdict()
	}
	if ctx.Err() != nil {
		p.command.Process.Kill()
		<-p.ended
	}
	return err
}

// Log is what the process has said so far.
func (p *Process) Log() string { return p.log.String() }

// verdict is what is wrong with how the process has ended.
func (p *Process) verdict() error {
	<-p.ended
	log := p.log.String()
	switch {
	case p.status != nil:
		return fmt.Errorf("the proxy ended with %w\n%s", p.status, log[max(0, len(log)-lastWords):])
	case strings.Contains(log, p.password):
		return errors.New("the proxy's log holds its password")
	}
	return nil
}

// flags returns the proxy's flags for what a script asks for.
func flags(b script.Broker, s script.Settings) []string {
	list := []string{"--pulse-namespace", b.Namespace()}
	add := func(flag, value string, wanted bool) {
		if wanted {
			list = append(list, "--"+flag, value)
		}
	}
	number := func(flag string, n int) { add(flag, strconv.Itoa(n), n > 0) }
	span := func(flag string, d time.Duration) { add(flag, d.String(), d > 0) }
	span("ping-period", s.Ping)
	span("slow-after", s.SlowAfter)
	span("write-deadline", s.WriteTimeout)
	span("vanish-after", s.VanishAfter)
	number("streams", s.Streams)
	number("streams-per-address", s.StreamsPerAddress)
	add("connects-per-second", strconv.FormatFloat(s.ConnectsPerSecond, 'g', -1, 64), s.ConnectsPerSecond > 0)
	span("stream-age", s.StreamAge)
	number("bindings", s.Bindings)
	number("prefetch", s.Prefetch)
	number("channels-per-link", s.ChannelsPerLink)
	number("backlog", s.Backlog)
	number("message-bytes", s.MessageBytes)
	add("exchanges", strings.Join(s.AllowExchanges, ","), len(s.AllowExchanges) > 0)
	add("routed-exchanges", strings.Join(s.Routed, ","), len(s.Routed) > 0)
	add("origins", strings.Join(s.AllowOrigins, ","), len(s.AllowOrigins) > 0)
	span("rebind-every", s.RebindEvery)
	add("root-url", s.RootURL, s.RootURL != "")
	for flag, wanted := range map[string]bool{"share-queues": s.ShareQueues, "trust-proxy": s.TrustProxy, "force-ssl": s.ForceSSL} {
		if wanted {
			list = append(list, "--"+flag)
		}
	}
	return list
}

// lines is what a process says.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}     // of one: it says "look again"; nil where nothing waits
	hear func(line string) // is called for each line; or nil
	part []byte            // of a line that is not complete
}

func newLines() *lines { return &lines{more: make(chan struct{}, 1)} }

// Write takes what the process says.
func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	if l.hear != nil {
		l.pass(b)
	}
	return l.text.Write(b)
}

// pass calls hear for the lines that are complete; the caller holds mu.
func (l *lines) pass(b []byte) {
	l.part = append(l.part, b...)
	for {
		line, rest, complete := bytes.Cut(l.part, []byte("\n"))
		if !complete {
			return
		}
		l.hear(string(line))
		l.part = bytes.Clone(rest)
	}
}

// String returns all of it.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

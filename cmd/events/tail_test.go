package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/http/proxytest"
)

// github is an exchange of the recipes.
const github = "exchange/taskcluster-github/v1/push"

// service is a proxy over a broker in the test's process.
type service struct {
	t         *testing.T
	url       string
	publisher amqp.Publisher
	system    *actors.System
}

func newService(t *testing.T, wrap func(http.Handler) http.Handler, exchanges ...string) *service {
	t.Helper()
	broker := amqp.NewMemory()
	p, err := proxytest.Start(proxytest.Options{Actors: actors.Options{Dialer: broker}, Wrap: wrap})
	must(t, err)
	publisher, err := broker.Publisher(t.Context())
	must(t, err)
	for _, exchange := range exchanges {
		must(t, publisher.Declare(t.Context(), exchange, "topic"))
	}
	t.Cleanup(func() { p.Close(); broker.Close() })
	return &service{t, p.URL, publisher, p.System}
}

// awaitStreams waits until n streams are ready; then messages reach them.
func (s *service) awaitStreams(n int) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		ready := 0
		for _, stream := range s.system.Snapshot().Streams {
			if stream.State == "ready" {
				ready++
			}
		}
		if ready == n {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d streams are ready, want %d", ready, n)
		}
	}
}

func (s *service) publish(exchange, key, body string) {
	s.t.Helper()
	must(s.t, s.publisher.Publish(s.t.Context(), exchange, key, amqp.Message{Body: []byte(body)}))
}

// running is a command that a test looks at while it runs.
type running struct {
	t       *testing.T
	command *exec.Cmd
	out     output // standard output
	err     output // standard error
	exited  chan struct{}
}

func begin(t *testing.T, env []string, name string, args ...string) *running {
	t.Helper()
	r := &running{t: t, exited: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	r.command = exec.CommandContext(ctx, name, args...)
	r.command.Env, r.command.Dir, r.command.Stdout, r.command.Stderr = env, t.TempDir(), &r.out, &r.err
	must(t, r.command.Start())
	go func() { r.command.Wait(); close(r.exited) }() // ends with the process
	t.Cleanup(func() { cancel(); <-r.exited })
	return r
}

func (r *running) ends(want int) {
	r.t.Helper()
	<-r.exited
	if got := r.command.ProcessState.ExitCode(); got != want {
		r.t.Errorf("exit status %d, want %d:\n%s%s", got, want, r.out.String(), r.err.String())
	}
}

// A script acts on the exit status alone.
func TestStatusesOfTailAndWait(t *testing.T) {
	s := newService(t, nil, "e")
	for _, row := range []struct {
		status int
		says   string
		args   []string
	}{
		{timedOut, "timed out", []string{"wait", "--url", s.url, "--timeout", "100ms", "e"}},
		{timedOut, "0 of 3", []string{"tail", "--url", s.url, "--timeout", "100ms", "e", "--count=3"}},
		{succeeded, "0 messages", []string{"tail", "--timeout", "2s", "--url", s.url, "--", "e:a.#"}},
		{timedOut, "there was no stream", []string{"tail", "--timeout", "100ms", "--url", "http://127.0.0.1:1", "e"}},
		{refused, `BindingRefused`, []string{"wait", "--url", s.url, "nosuch"}},
		{refused, `BindingRefused`, []string{"tail", "--url", s.url, "nosuch"}},
		{misused, "a BINDING is missing", []string{"tail"}},
		{misused, "did you mean --count?", []string{"tail", "--cuont", "3", "e"}},
		{misused, "not a jq program", []string{"wait", "--filter", ".a |", "e"}},
		{misused, "not negative", []string{"tail", "--count", "-1", "e"}},
		{misused, "auto, always or never", []string{"tail", "--color", "blue", "e"}},
		{misused, "set PULSE_URL", []string{"tail", "--broker", "e"}},
		{misused, "no place beside it", []string{"tail", "--broker", "--url", s.url, "e"}},
		{misused, "must start with http", []string{"tail", "--url", "localhost", "e"}},
		{misused, "nosuch.yml", []string{"tail", "--config", "nosuch.yml", "e"}},
	} {
		r := execute(t, nil, row.args...)
		if r.status != row.status || !strings.Contains(r.stderr, row.says) || r.stdout != "" {
			t.Errorf("%v: %+v", row.args, r)
		}
	}
	for _, name := range []string{"tail", "wait"} {
		if r := execute(t, nil, name, "--help"); r.status != succeeded || !strings.Contains(r.stdout, "Examples:") || !strings.Contains(r.stdout, "--filter PROGRAM") || r.stderr != "" {
			t.Errorf("%+v", r)
		}
	}
}

// A signal is the usual end of tail, and not what a count asked for.
func TestASignalEndsTail(t *testing.T) {
	s := newService(t, nil, "e")
	for want, args := range map[int][]string{succeeded: {"tail"}, interrupted: {"wait"}} {
		for _, by := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
			r := begin(t, []string{"TASKCLUSTER_ROOT_URL=" + s.url}, program, append(args, "e")...)
			s.awaitStreams(1)
			must(t, r.command.Process.Signal(by))
			r.ends(want)
			s.awaitStreams(0)
		}
	}
}

// `events tail | head -1` ends when head does, before the next message comes,
// and is no failure.
func TestTailEndsWithTheReaderOfItsPipe(t *testing.T) {
	s := newService(t, nil, "e")
	r := begin(t, nil, "bash", "-c", `"$0" tail --url "$1" e | head -n 1; echo "status ${PIPESTATUS[0]}"`, program, s.url)
	s.awaitStreams(1)
	s.publish("e", "a", "1")
	r.ends(succeeded)
	if got := r.out.String(); !strings.HasSuffix(got, "\nstatus 0\n") || !strings.Contains(got, `"routingKey":"a"`) {
		t.Errorf("%s%s", got, r.err.String())
	}
}

// People see columns and colours, unless they want none; a pipe gets JSON.
func TestATerminalGetsColumns(t *testing.T) {
	s := newService(t, nil, "exchange/e-failed")
	for _, row := range []struct {
		env, want string
		args      []string
	}{
		{"TERM=xterm", "\x1b[31me-failed\x1b[0m  a.b  \x1b[2m{\"x\":1}\x1b[0m", nil},
		{"NO_COLOR=1", "  e-failed  a.b  {\"x\":1}", nil},
		{"TERM=dumb", "  e-failed  a.b  {\"x\":1}", nil},
		{"NO_COLOR=1", "\x1b[31me-failed", []string{"--color=always"}},
		{"NO_COLOR=", "  e-failed  a.b  {\"x\":1}", []string{"--color=never"}},
		{"TERM=xterm", "\n{\"x\":1}\r\n", []string{"--raw"}},
	} {
		line := append([]string{program, "tail", "--count=1", "--url", s.url, "exchange/e-failed"}, row.args...)
		r := begin(t, []string{row.env, "SHELL=/bin/sh"}, "script", "--quiet", "--return", "--command", strings.Join(line, " "), "/dev/null")
		s.awaitStreams(1)
		s.publish("exchange/e-failed", "a.b", `{"x":1}`)
		r.ends(succeeded)
		if got := r.out.String(); !strings.Contains(got, row.want) {
			t.Errorf("%s %v: %q", row.env, row.args, got)
		}
		s.awaitStreams(0)
	}
}

// Straight from RabbitMQ, without a proxy; nothing is left of it there.
func TestTailReadsFromABroker(t *testing.T) {
	node := rabbit.Broker(t)
	publisher := publisherOn(t, node, "exchange/tail/e")
	r := begin(t, []string{"PULSE_URL=" + node.URL()}, program, "tail", "--broker", "--count=1", "--raw", "exchange/tail/e:a.#")
	for !strings.Contains(r.err.String(), "ready") {
		select {
		case <-r.exited:
			t.Fatal(r.err.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	must(t, publisher.Publish(t.Context(), "exchange/tail/e", "a.b", amqp.Message{Body: []byte(`{"n":1}`)}))
	r.ends(succeeded)
	if r.out.String() != "{\"n\":1}\n" || strings.Contains(r.err.String(), "guest:") {
		t.Errorf("%s%s", r.out.String(), r.err.String())
	}
}

// recipe runs a script of SCRIPTS.md; extra arguments make its tail end.
func recipe(t *testing.T, s *service, title string, env []string, extra string) *running {
	t.Helper()
	text, err := os.ReadFile("SCRIPTS.md")
	must(t, err)
	found := regexp.MustCompile("(?s)## " + title + "\n.*?```sh\n(.*?)```").FindSubmatch(text)
	if found == nil {
		t.Fatalf("SCRIPTS.md has no recipe %q", title)
	}
	folder := t.TempDir()
	must(t, os.WriteFile(filepath.Join(folder, "events"), fmt.Appendf(nil, "#!/bin/sh\nexec %s \"$@\" %s\n", program, extra), 0o700))
	env = append(env, "PATH="+folder+":"+os.Getenv("PATH"), "TASKCLUSTER_ROOT_URL="+s.url)
	return begin(t, env, "bash", "-e", "-o", "pipefail", "-c", string(found[1]))
}

// The script ends once the task is resolved, though the proxy's stream was lost
// and the first task-failed was rerun.
func TestRecipeWaitForATask(t *testing.T) {
	var asked atomic.Int32
	const path = "/api/queue/v1/task/NvC3DOq2RDi_5B7kHxcXkw/status"
	queue := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != path {
				next.ServeHTTP(w, r)
				return
			}
			state := "pending"
			if asked.Add(1) > 2 {
				state = "completed"
			}
			io.WriteString(w, `{"status":{"state":"`+state+`"}}`)
		})
	}
	s := newService(t, queue, onQueue+"task-completed", onQueue+"task-failed", onQueue+"task-exception")
	r := recipe(t, s, "Wait for a task", []string{"task=NvC3DOq2RDi_5B7kHxcXkw"}, "")
	s.awaitStreams(1)
	for _, stream := range s.system.Snapshot().Streams {
		s.system.End(actors.ByID(stream.ID), nil)
	}
	for asked.Load() < 2 {
		time.Sleep(5 * time.Millisecond)
	}
	s.awaitStreams(1)
	s.publish(onQueue+"task-completed", "primary.anotherTask.0", "{}")
	s.publish(onQueue+"task-completed", "primary.NvC3DOq2RDi_5B7kHxcXkw.0", "{}")
	r.ends(succeeded)
	if got := r.out.String(); got != "NvC3DOq2RDi_5B7kHxcXkw is resolved\n" {
		t.Errorf("%q %s", got, r.err.String())
	}
}

func TestRecipeWatchABranch(t *testing.T) {
	s := newService(t, nil, github)
	r := recipe(t, s, "Watch a branch", []string{"organization=mozilla", "repository=gecko"}, "--count=2")
	s.awaitStreams(1)
	for _, push := range [][2]string{{"main", "1111"}, {"try", "2222"}, {"main", "3333"}} {
		s.publish(github, "primary.mozilla.gecko", fmt.Sprintf(`{"details":{"event.base.repo.branch":%q,"event.head.sha":%q}}`, push[0], push[1]))
	}
	r.ends(succeeded)
	if got := r.out.String(); got != "main is at 1111\nmain is at 3333\n" {
		t.Errorf("%q %s", got, r.err.String())
	}
}

func TestRecipeCountPerMinute(t *testing.T) {
	s := newService(t, nil, onQueue+"task-completed")
	r := recipe(t, s, "Count per minute", nil, "--count=5")
	s.awaitStreams(1)
	for range 5 {
		s.publish(onQueue+"task-completed", "primary.x", "{}")
	}
	r.ends(succeeded)
	total := 0
	for line := range bytes.Lines([]byte(r.out.String())) { // two, where a minute has just ended
		var count, hour, minute int
		if _, err := fmt.Sscanf(string(line), "%d %d:%d", &count, &hour, &minute); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		total += count
	}
	if total != 5 {
		t.Errorf("counted %d: %q %s", total, r.out.String(), r.err.String())
	}
}

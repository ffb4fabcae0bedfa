package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// patience bounds every wait; nothing is expected to take that long.
const patience = 30 * time.Second

// program is the built binary: signals and exit statuses are seen from outside.
var program string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "events")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(folder, "events")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("go build: %v\n%s", err, out))
	}
	status := rabbit.Main(m).Run()
	os.RemoveAll(folder)
	os.Exit(status)
}

// instance is a running events process.
type instance struct {
	t       *testing.T
	command *exec.Cmd
	url     string
	out     output // standard output and standard error
	exited  chan struct{}
}

// output may be read while the process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start runs a command until it listens. env are NAME=value; nothing else of the test's environment
// is seen, and the folder is empty.
func start(t *testing.T, env []string, args ...string) *instance {
	t.Helper()
	return startCommand(t, exec.Command(program, args...), env)
}

// startCommand is start for a command that a test has prepared, with a standard error of its own
// for instance.
func startCommand(t *testing.T, command *exec.Cmd, env []string) *instance {
	t.Helper()
	in := &instance{t: t, command: command, exited: make(chan struct{})}
	in.command.Env, in.command.Dir = env, t.TempDir()
	if in.command.Stderr == nil {
		in.command.Stderr = &in.out
	}
	stdout, err := in.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := in.command.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go func() { // ends with the process
		defer close(in.exited)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			fmt.Fprintln(&in.out, lines.Text())
			if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
				listening <- url
			}
		}
		in.command.Wait()
	}()
	t.Cleanup(func() { in.command.Process.Kill(); <-in.exited })
	select {
	case in.url = <-listening:
	case <-in.exited:
		t.Fatalf("%v ended with %v:\n%s", command.Args, in.command.ProcessState, in.out.String())
	case <-time.After(patience):
		t.Fatalf("%v does not listen:\n%s", command.Args, in.out.String())
	}
	return in
}

func (in *instance) signal(s os.Signal) {
	in.t.Helper()
	if err := in.command.Process.Signal(s); err != nil {
		in.t.Fatal(err)
	}
}

// insist sends a signal until the process has ended: one that comes too soon after the first is none.
func (in *instance) insist(s os.Signal) {
	in.t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for late := time.After(patience); ; {
		select {
		case <-in.exited:
			return
		case <-late:
			return // ends fails then
		case <-again.C:
			_ = in.command.Process.Signal(s) // fails where it has just ended
		}
	}
}

// ends waits for the exit status.
func (in *instance) ends(want int) {
	in.t.Helper()
	select {
	case <-in.exited:
		if got := in.command.ProcessState.ExitCode(); got != want {
			in.t.Fatalf("exit status %d, want %d:\n%s", got, want, in.out.String())
		}
	case <-time.After(patience):
		in.t.Fatalf("still there:\n%s", in.out.String())
	}
}

// says waits until the process has printed something that matches.
func (in *instance) says(pattern string) []string {
	in.t.Helper()
	for deadline := time.After(patience); ; {
		if found := regexp.MustCompile(pattern).FindStringSubmatch(in.out.String()); found != nil {
			return found
		}
		select {
		case <-deadline:
			in.t.Fatalf("never says %s:\n%s", pattern, in.out.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// get asks for a path (or a URL) and returns status and body.
func (in *instance) get(path string) (int, string) {
	in.t.Helper()
	r := in.open(path)
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		in.t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

// open asks for a path (or a URL); the body is the caller's to close.
func (in *instance) open(path string) *http.Response {
	in.t.Helper()
	if strings.HasPrefix(path, "/") {
		path = in.url + path
	}
	ctx, cancel := context.WithTimeout(in.t.Context(), patience)
	in.t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, "GET", path, nil)
	if err != nil {
		in.t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		in.t.Fatal(err)
	}
	return r
}

// frame is one event of a stream.
type frame struct{ name, data string }

// frames reads a stream to its end, frame by frame.
func frames(body io.Reader) func(yield func(frame) bool) {
	return func(yield func(frame) bool) {
		var f frame
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "event":
				f.name = value
			case "data":
				f.data = value
			case "":
				if !yield(f) {
					return
				}
				f = frame{}
			}
		}
	}
}

// result is what a command that ends by itself left behind.
type result struct {
	status         int
	stdout, stderr string
}

func execute(t *testing.T, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, program, args...)
	command.Env, command.Dir, command.Stdout, command.Stderr = env, t.TempDir(), &stdout, &stderr
	err := command.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%v: %v\n%s", args, err, stderr.String())
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// ended returns the exit status that shells use for a signal.
func ended(by syscall.Signal) int { return 128 + int(by) }

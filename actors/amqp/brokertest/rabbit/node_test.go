package rabbit_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// TestMain is also the program that is killed, see outlive.
func TestMain(m *testing.M) {
	ctx := context.Background()
	switch dir := os.Getenv("RABBIT_CHILD_DIR"); os.Getenv("RABBIT_CHILD") {
	case "":
		goleak.VerifyTestMain(rabbit.Main(m))
	case "node":
		child(rabbit.StartNode(ctx, dir))
	case "cluster":
		child(rabbit.StartCluster(ctx, dir, rabbit.ClusterOptions{Nodes: 2}))
	}
}

func child(started interface{ Processes() []int }, err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, pid := range started.Processes() {
		fmt.Println("pid", pid)
	}
	fmt.Println("started")
	select {} // until killed
}

// Nothing is left on the machine when a test is killed: no node, no port mapper.
func TestNodesDieWithTheirProcess(t *testing.T) {
	for what, processes := range map[string]int{"node": 2, "cluster": 3} {
		t.Run(what, func(t *testing.T) { outlive(t, what, processes) })
	}
}

// outlive kills a process that has started something, and waits until that is gone.
func outlive(t *testing.T, what string, processes int) {
	command := exec.CommandContext(bounded(t), os.Args[0])
	command.Env = append(os.Environ(), "RABBIT_CHILD="+what, "RABBIT_CHILD_DIR="+t.TempDir())
	stdout, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	var pids []int
	for lines := bufio.NewScanner(stdout); lines.Scan() && lines.Text() != "started"; {
		var pid int
		if _, err := fmt.Sscanf(lines.Text(), "pid %d", &pid); err != nil {
			t.Fatal(lines.Text())
		}
		pids = append(pids, pid)
	}
	if len(pids) != processes {
		t.Fatalf("the %s has the processes %v", what, pids)
	}
	must(t, command.Process.Kill())
	command.Wait()
	eventually(t, "they are gone", func() bool {
		return !slices.ContainsFunc(pids, func(pid int) bool { return syscall.Kill(pid, 0) == nil })
	})
}

// Stop, Kill, Freeze: what each looks like from a client, and that the node
// comes back with what it had kept.
func TestANodeCanBeStoppedKilledAndFrozen(t *testing.T) {
	n, ctx := rabbit.Run(t), bounded(t)
	must(t, n.AddUser(ctx, "kept", "secret"))

	link := dial(t, n)
	must(t, n.Stop(ctx))
	lost(t, link)
	if _, err := n.Snapshot(ctx); !errors.Is(err, rabbit.ErrNotRunning) {
		t.Errorf("a stopped node answers: %v", err)
	}
	must(t, n.Start(ctx))
	must(t, n.ChangePassword(ctx, "kept", "other"))

	link = dial(t, n)
	must(t, n.Kill())
	lost(t, link)
	if err := n.Stop(ctx); !errors.Is(err, rabbit.ErrNotRunning) {
		t.Errorf("a dead node was stopped: %v", err)
	}
	must(t, n.Start(ctx))

	must(t, n.Freeze())
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := n.Snapshot(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a frozen node answers: %v", err)
	}
	must(t, n.Thaw())
	if _, err := n.Snapshot(ctx); err != nil {
		t.Errorf("a thawed node does not answer: %v", err)
	}
	must(t, n.DeleteUser(ctx, "kept"))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ticks, deadline := time.NewTicker(10*time.Millisecond), time.After(20*time.Second)
	defer ticks.Stop()
	for !condition() {
		select {
		case <-ticks.C:
		case <-deadline:
			t.Fatalf("it never came about that %s", what)
		}
	}
}

func dial(t *testing.T, n *rabbit.Node) amqp.Link {
	t.Helper()
	return dialURL(t, n.URL())
}

func dialURL(t *testing.T, url string) amqp.Link {
	t.Helper()
	r, err := amqp.NewRabbitMQ(url, amqp.RabbitMQOptions{Name: strings.ReplaceAll(t.Name(), "/", "-")})
	must(t, err)
	link, err := r.Dial(t.Context())
	must(t, err)
	t.Cleanup(func() { link.Close(time.Second) })
	return link
}

// lost waits for the link's end. Why it ended is the library's guess: a broker
// that stops sends 320 and resets the socket (501) at the same moment.
func lost(t *testing.T, link amqp.Link) {
	t.Helper()
	select {
	case <-link.Lost():
	case <-bounded(t).Done():
		t.Fatal("the link was not lost")
	}
	if amqp.KindOf(link.Err()) != amqp.LinkLost {
		t.Errorf("got %v", link.Err())
	}
}

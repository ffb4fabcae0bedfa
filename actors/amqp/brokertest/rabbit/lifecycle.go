package rabbit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/child"
)

// prepare makes the node's directories and settings.
func (n *Node) prepare() error {
	for _, dir := range []string{"mnesia", "log"} {
		if err := os.MkdirAll(filepath.Join(n.dir, dir), 0o700); err != nil {
			return err
		}
	}
	if err := n.member.prepare(n.dir); err != nil {
		return err
	}
	plugins, settings := "[].\n", "loopback_users.guest = true\n"+n.member.settings
	if n.managed != 0 {
		plugins = "[rabbitmq_management].\n"
		settings += fmt.Sprintf("management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = %d\n", n.managed) +
			"collect_statistics_interval = 500\n" // ms; short, since tests wait for it
	}
	if err := n.furnish(func(plugin string) bool { return n.managed != 0 && isOfManagement(plugin) }); err != nil {
		return err
	}
	if err := os.WriteFile(n.dir+"/enabled_plugins", []byte(plugins), 0o600); err != nil {
		return err
	}
	return os.WriteFile(n.dir+"/rabbitmq.conf", []byte(settings), 0o600)
}

func (n *Node) name() string { return fmt.Sprintf("events%d@localhost", n.port) }

// env is everything that keeps this node apart from others: its own home (and
// with it the cookie), name, ports, directories, and port mapper.
func (n *Node) env() []string {
	return []string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=" + n.dir,
		"ERL_EPMD_ADDRESS=127.0.0.1", fmt.Sprint("ERL_EPMD_PORT=", n.epmd.port),
		"ERL_CRASH_DUMP_SECONDS=0", // a node that fails to boot fails at once
		"RABBITMQ_NODENAME=" + n.name(),
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", fmt.Sprint("RABBITMQ_NODE_PORT=", n.port),
		fmt.Sprint("RABBITMQ_DIST_PORT=", n.dist),
		"RABBITMQ_MNESIA_BASE=" + n.dir + "/mnesia", "RABBITMQ_LOG_BASE=" + n.dir + "/log",
		"RABBITMQ_LOGS=" + n.Log(), "RABBITMQ_PID_FILE=" + n.dir + "/pid",
		"RABBITMQ_CONF_ENV_FILE=/dev/null", "RABBITMQ_CONFIG_FILE=" + n.dir + "/rabbitmq",
		"RABBITMQ_SCRIPTS_DIR=" + n.home() + "/sbin", // the folder above it is the broker's home
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + n.dir + "/enabled_plugins",
		// Two schedulers that do not spin: the tests need the processor too.
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none" + n.member.arguments(),
		// The node reads expressions from its input, see shell, and the script
		// becomes the node instead of watching over it.
		"RABBITMQ_ALLOW_INPUT=1",
	}
}

// Start starts a node that was stopped or killed, on the same ports and with
// what it had kept: users, virtual hosts, durable exchanges. On a running node
// it does nothing. One that does not serve clients in time is ended, so that
// another Start begins anew.
func (n *Node) Start(ctx context.Context) error {
	if n.External() {
		return ErrExternal
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running() {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it took longer than %s", startTimeout))
	defer cancel()
	if err := n.launch(); err != nil {
		return fmt.Errorf("rabbit: start: %w", err)
	}
	if err := n.shell.awaitBoot(ctx); err != nil {
		n.broker.Kill()
		log, _ := os.ReadFile(n.Log())
		return fmt.Errorf("rabbit: start: %w\n%s", err, tail(log, 2000))
	}
	return nil
}

// launch starts the processes.
func (n *Node) launch() (err error) {
	if err := n.epmd.start(); err != nil {
		return err
	}
	answers, stdout, err := os.Pipe()
	if err != nil {
		return err
	}
	defer stdout.Close() // the node has it now
	if n.broker, err = child.Start(child.Command{
		Root: n.root, Line: []string{Home + "/rabbitmq-server"}, Env: n.env(), Stdout: stdout, Stderr: n.dir + "/log/stderr",
	}); err != nil {
		answers.Close()
		return err
	}
	n.shell = newShell(n.broker.Stdin, answers)
	return nil
}

func (n *Node) running() bool {
	if n.broker == nil {
		return false
	}
	select {
	case <-n.broker.Exited:
		return false
	default:
		return true
	}
}

// Stop ends the node in order: every client is told (320), and then reset. It returns
// when the process is gone; when ctx ends before, the process is killed.
func (n *Node) Stop(ctx context.Context) error {
	return n.harm(func(p *child.Process) error {
		p.Signal(syscall.SIGCONT) // a frozen one does not hear
		p.Signal(syscall.SIGTERM)
		select {
		case <-p.Exited:
			return nil
		case <-ctx.Done():
			p.Kill()
			return fmt.Errorf("rabbit: stop: %w", context.Cause(ctx))
		}
	})
}

// Kill ends the node without a word: its sockets are reset.
func (n *Node) Kill() error {
	return n.harm(func(p *child.Process) error {
		p.Kill()
		return nil
	})
}

// Freeze stops the node's process: the sockets stay open and silent. It returns
// when the last thread stands still.
func (n *Node) Freeze() error {
	return n.harm(func(p *child.Process) error {
		p.Signal(syscall.SIGSTOP)
		return p.UntilStopped()
	})
}

// Thaw lets a frozen node go on.
func (n *Node) Thaw() error {
	return n.harm(func(p *child.Process) error {
		p.Signal(syscall.SIGCONT)
		return nil
	})
}

// Restart is Stop and Start.
func (n *Node) Restart(ctx context.Context) error {
	if err := n.Stop(ctx); err != nil {
		return err
	}
	return n.Start(ctx)
}

// harm does something to the running process.
func (n *Node) harm(do func(*child.Process) error) error {
	if n.External() {
		return ErrExternal
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.running() {
		return ErrNotRunning
	}
	return do(n.broker)
}

func tail(b []byte, size int) []byte { return b[max(0, len(b)-size):] }

// Processes are the ids of what runs for the node now: the broker, and the port
// mapper that Erlang needs.
func (n *Node) Processes() []int {
	n.mu.Lock()
	defer n.mu.Unlock()
	var ids []int
	for _, p := range []*child.Process{n.broker, n.epmd.running()} {
		if p != nil {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

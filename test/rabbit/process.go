package rabbit

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// process is a child that dies with this process, whatever ends it.
type process struct {
	pid    int
	stdin  io.WriteCloser
	exited chan struct{}
}

// start runs a command with the given environment, inside root where that is not
// empty. Its standard output goes to stdout (nil: nowhere), what it complains
// about to the file named.
func start(root string, command, env []string, stdout *os.File, stderr string) (*process, error) {
	complaints, err := os.OpenFile(stderr, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer complaints.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env, cmd.Stderr = env, complaints
	if stdout != nil { // not a nil *os.File in an interface
		cmd.Stdout = stdout
	}
	// A group of its own: Ctrl-C at a terminal is for us alone. Pdeathsig goes
	// off when the thread that forked ends, so that thread is kept, see run.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Chroot: root}
	if root != "" {
		cmd.Dir = "/" // the working directory lies outside
	}
	p := &process{exited: make(chan struct{})}
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	started := make(chan error)
	go p.run(cmd, started) // until the process ends, which Close brings about
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// run starts the command and waits for its end, all on one thread.
func (p *process) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	if err == nil {
		p.pid = cmd.Process.Pid
	}
	started <- err
	if err == nil {
		_ = cmd.Wait() // how a broker that we killed ended is of no interest
		close(p.exited)
	}
}

// signal does nothing once the process is gone.
func (p *process) signal(s syscall.Signal) {
	select {
	case <-p.exited:
	default:
		_ = syscall.Kill(p.pid, s)
	}
}

// stopPatience bounds the time that the kernel takes to stop every thread.
const stopPatience = 5 * time.Second

// untilStopped waits until no thread runs any more: a signal stops them one by
// one, and the last may still answer. Where there is no /proc this cannot be known.
func (p *process) untilStopped() error {
	for deadline := time.Now().Add(stopPatience); ; time.Sleep(time.Millisecond) {
		states, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.pid))
		if err != nil || !slices.ContainsFunc(states, running) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("rabbit: process %d does not stop", p.pid)
		}
	}
}

// running reports whether a thread is neither stopped nor gone.
//
//	4711 (beam.smp) T 1 …
func running(stat string) bool {
	text, err := os.ReadFile(stat)
	if err != nil {
		return false
	}
	_, fields, _ := strings.Cut(string(text), ") ")
	return !strings.HasPrefix(fields, "T")
}

// kill ends the process and waits until it is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.exited
}

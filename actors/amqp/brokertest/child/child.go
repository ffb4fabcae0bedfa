// Package child runs programs that must not outlive this process: a broker, a
// load balancer.
package child

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

// Process is a child that dies with this process, whatever ends it.
type Process struct {
	ID     int
	Stdin  io.WriteCloser
	Exited chan struct{} // closed when it has ended
}

// Command is a program to run, and how.
type Command struct {
	Root   string   // of the file system that the child lives in; "": this one
	Line   []string // the program, and its arguments
	Env    []string
	Stdout *os.File // nil: nowhere
	Stderr string   // a file, to which what it complains about is appended
}

// Start runs a command. The caller owes a Kill, or waits for Exited.
func Start(c Command) (*Process, error) {
	complaints, err := os.OpenFile(c.Stderr, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer complaints.Close()
	cmd := exec.Command(c.Line[0], c.Line[1:]...)
	cmd.Env, cmd.Stderr = c.Env, complaints
	if c.Stdout != nil { // not a nil *os.File in an interface
		cmd.Stdout = c.Stdout
	}
	// A group of its own: Ctrl-C at a terminal is for us alone. Pdeathsig goes
	// off when the thread that forked ends, so that thread is kept, see run.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Chroot: c.Root}
	if c.Root != "" {
		cmd.Dir = "/" // the working directory lies outside
	}
	p := &Process{Exited: make(chan struct{})}
	if p.Stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	started := make(chan error)
	go p.run(cmd, started) // until the process ends, which Kill brings about
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// run starts the command and waits for its end, all on one thread.
func (p *Process) run(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := cmd.Start()
	if err == nil {
		p.ID = cmd.Process.Pid
	}
	started <- err
	if err == nil {
		_ = cmd.Wait() // how a child that we killed ended is of no interest
		close(p.Exited)
	}
}

// Signal does nothing once the process is gone.
func (p *Process) Signal(s syscall.Signal) {
	select {
	case <-p.Exited:
	default:
		_ = syscall.Kill(p.ID, s)
	}
}

// stopPatience bounds the time that the kernel takes to stop every thread.
const stopPatience = 5 * time.Second

// UntilStopped waits until no thread runs any more: a signal stops them one by
// one, and the last may still answer. Where there is no /proc this cannot be known.
func (p *Process) UntilStopped() error {
	for deadline := time.Now().Add(stopPatience); ; time.Sleep(time.Millisecond) {
		states, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", p.ID))
		if err != nil || !slices.ContainsFunc(states, running) {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("process %d does not stop", p.ID)
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

// Kill ends the process and waits until it is gone.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.Exited
}

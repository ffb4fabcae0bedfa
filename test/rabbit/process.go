package rabbit

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// process is a child that dies with this process, whatever ends it.
type process struct {
	pid    int
	stdin  io.WriteCloser
	stdout io.ReadCloser
	exited chan struct{}
}

// start runs a command with the given environment, stderr going to a file.
func start(command []string, env []string, stderr string) (*process, error) {
	errors, err := os.OpenFile(stderr, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer errors.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env, cmd.Stderr = env, errors
	// A group of its own: Ctrl-C at a terminal is for us alone. Pdeathsig goes
	// off when the thread that forked ends, so that thread is kept, see run.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p := &process{exited: make(chan struct{})}
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	// A pipe of our own: the one of the package would be closed by Wait before
	// it is read to the end.
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer writer.Close()
	cmd.Stdout, p.stdout = writer, reader
	started := make(chan error)
	go p.run(cmd, started)
	if err := <-started; err != nil {
		reader.Close()
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

// kill ends the process and waits until it is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.exited
}

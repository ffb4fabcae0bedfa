package bench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Process is a program under measurement.
type Process struct {
	URL  string        // where it listens
	Said *bufio.Reader // its standard output, after the line with the URL

	command *exec.Cmd
}

// startPatience bounds the time until a program listens.
const startPatience = 30 * time.Second

// Start runs a program and waits until it prints "listening on URL". The program
// dies with this one.
func Start(env []string, name string, arguments ...string) (*Process, error) {
	command := exec.Command(name, arguments...)
	command.Env = append(os.Environ(), env...)
	command.Dir = os.TempDir() // no settings file of the user's
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &Process{command: command, Said: bufio.NewReader(out)}
	late := time.AfterFunc(startPatience, func() { command.Process.Kill() })
	defer late.Stop()
	for {
		line, err := p.Said.ReadString('\n')
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s did not say where it listens: %w", name, err), p.Kill())
		}
		if url, found := strings.CutPrefix(strings.TrimSpace(line), "listening on "); found {
			p.URL = url
			return p, nil
		}
	}
}

// Drain asks for an orderly end and waits for it.
func (p *Process) Drain() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	io.Copy(io.Discard, p.Said) // until it has closed it
	return p.command.Wait()
}

// Kill ends the program at once.
func (p *Process) Kill() error {
	if err := p.command.Process.Kill(); err != nil {
		return err
	}
	p.command.Wait() // "signal: killed", as was asked
	return nil
}

// Usage is what a process has used so far, and holds now.
func (p *Process) Usage() Usage { return UsageOf(p.command.Process.Pid) }

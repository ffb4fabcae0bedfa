package chaos

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// pauseTime is shorter than anything that a paused process could be given up for.
const pauseTime = 1500 * time.Millisecond

// Pause stops the process where it stands, as a laptop's lid or a busy host does, and
// lets it go on after a while. No stream may end by it.
func (p *Process) Pause(context.Context) error {
	process := p.command.Process
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	time.AfterFunc(pauseTime, func() { _ = process.Signal(syscall.SIGCONT) }) // one that has ended needs none
	return nil
}

// Paused is a sign that the kernel has stopped the process. It is looked for at once,
// and kept: the process itself cannot be asked meanwhile.
func (p *Process) Paused(context.Context) (faults.Sign, error) {
	seen := make(chan string, 1) // whether or not anything looks
	go func() {                  // ends with the pause, or soon after
		for over := time.Now().Add(2 * pauseTime); time.Now().Before(over); time.Sleep(5 * time.Millisecond) {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
			if _, fields, ok := strings.Cut(string(stat), ") "); err == nil && ok && strings.HasPrefix(fields, "T") {
				seen <- "the kernel had stopped the proxy's process"
				return
			}
		}
	}()
	said := ""
	return func(context.Context) (string, error) {
		select {
		case said = <-seen:
		default:
		}
		return said, nil
	}, nil
}

package chaos

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

var _ faults.Process = (*Process)(nil)

// Pause stops the process where it stands.
func (p *Process) Pause() error { return p.command.Process.Signal(syscall.SIGSTOP) }

// Continue lets it go on.
func (p *Process) Continue() error { return p.command.Process.Signal(syscall.SIGCONT) }

// IsPaused reports whether the kernel has stopped the process.
func (p *Process) IsPaused() (bool, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	_, fields, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(fields, "T"), err
}

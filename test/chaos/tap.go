package chaos

import (
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// tap reads a process's log from a pipe, and can leave it unread. Its methods may be
// called concurrently.
type tap struct {
	in   *os.File // the process's end
	out  *os.File
	done chan struct{} // closed when all is read

	mu   sync.Mutex
	may  *sync.Cond // read
	shut bool
}

// tapRoom is the size of the pipe: one page, so that little fills it.
const tapRoom = 4096

func newTap(to io.Writer) (*tap, error) {
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	t := &tap{in: in, out: out, done: make(chan struct{})}
	t.may = sync.NewCond(&t.mu)
	if err := t.onPipe(func(fd int) (err error) {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, tapRoom)
		return err
	}); err != nil {
		in.Close()
		out.Close()
		return nil, err
	}
	go t.read(to) // ends with the last writer: end
	return t, nil
}

func (t *tap) read(to io.Writer) {
	defer close(t.done)
	for buffer := make([]byte, tapRoom); ; {
		t.mu.Lock()
		for t.shut {
			t.may.Wait()
		}
		t.mu.Unlock()
		n, err := t.out.Read(buffer)
		to.Write(buffer[:n])
		if err != nil {
			return
		}
	}
}

// turn leaves the log unread, or has it read again.
func (t *tap) turn(shut bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shut = shut
	t.may.Broadcast()
}

// end is called when the process has ended; it returns when all is read.
func (t *tap) end() {
	t.in.Close()
	t.turn(false)
	<-t.done
	t.out.Close()
}

// onPipe does something with the pipe's descriptor.
func (t *tap) onPipe(do func(fd int) error) error {
	raw, err := t.out.SyscallConn()
	if err != nil {
		return err
	}
	failed := raw.Control(func(fd uintptr) { err = do(int(fd)) })
	if err == nil {
		err = failed
	}
	return err
}

// LeaveLog leaves the log unread until ReadLog, or the process's end.
func (p *Process) LeaveLog() { p.tap.turn(true) }

// ReadLog has the log read again.
func (p *Process) ReadLog() { p.tap.turn(false) }

// LogPipe returns how many bytes lie unread in the pipe of the log, and how many it takes.
func (p *Process) LogPipe() (unread, room int, err error) {
	return unread, tapRoom, p.tap.onPipe(func(fd int) (err error) {
		unread, err = unix.IoctlGetInt(fd, unix.TIOCINQ)
		return err
	})
}

package main

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// mostLogLines and mostLogBytes bound what waits to be written to the log.
	mostLogLines = 4096
	mostLogBytes = 1 << 20

	// lastWords is how long the process waits at its end for its last lines to be written, where
	// the log is stuck.
	lastWords = time.Second
)

// lossy is the writer of a log that never blocks its callers: lines wait in memory for the one
// goroutine that writes them. Where that cannot keep up, because a pipe is not read or its reader
// has ended, lines are dropped and counted. A notice stands where they are missing:
//
//	line line line │ 1234 lines were dropped │ line line
//
// Its methods may be called concurrently.
type lossy struct {
	to      io.Writer
	dropped atomic.Int64 // lines in all

	mu       sync.Mutex
	notice   func(lines int64) error // writes the notice; nil: none
	waiting  []entry
	lines    int   // that wait or are being written
	bytes    int   // of them
	dropping bool  // until everything that waits has been written
	missing  int64 // lines dropped since the last notice

	wake chan struct{} // of one: look again
	quit chan struct{}
	once sync.Once

	torn bool // the goroutine's own: the last line was written in part
}

// entry is a line that waits, or a question whether everything before it has been written.
type entry struct {
	line    []byte
	written chan<- struct{}
}

// newLossy starts the goroutine that writes; close ends it.
func newLossy(to io.Writer) *lossy {
	l := &lossy{to: to, wake: make(chan struct{}, 1), quit: make(chan struct{})}
	go l.run() // owner: the caller of close; a write that never returns ends with the process
	return l
}

// noticeWith sets how the notice of dropped lines is written.
func (l *lossy) noticeWith(notice func(lines int64) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notice = notice
}

// Write takes a line, or drops it. It never waits and never fails.
func (l *lossy) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dropping || l.lines == mostLogLines || l.bytes+len(line) > mostLogBytes {
		l.dropping = true
		l.drop()
		return len(line), nil
	}
	l.lines++
	l.bytes += len(line)
	l.enter(entry{line: bytes.Clone(line)})
	return len(line), nil
}

// enter must be called under the lock, as must drop.
func (l *lossy) enter(e entry) {
	l.waiting = append(l.waiting, e)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lossy) drop() {
	l.missing++
	l.dropped.Add(1)
}

// flush waits until what was logged before has been written, no longer than patience.
func (l *lossy) flush(patience time.Duration) {
	written := make(chan struct{})
	l.mu.Lock()
	l.enter(entry{written: written})
	l.mu.Unlock()
	select {
	case <-written:
	case <-l.quit:
	case <-time.After(patience):
	}
}

// close flushes, and ends the goroutine.
func (l *lossy) close(patience time.Duration) {
	l.flush(patience)
	l.once.Do(func() { close(l.quit) })
}

func (l *lossy) run() {
	for {
		select {
		case <-l.wake:
			l.writeWaiting()
		case <-l.quit:
			return
		}
	}
}

// writeWaiting writes what waits, and the notice behind it where lines are missing.
func (l *lossy) writeWaiting() {
	var flushes []chan<- struct{}
	for batch := l.take(); len(batch) > 0; batch = l.take() {
		for _, e := range batch {
			if e.written != nil {
				flushes = append(flushes, e.written)
				continue
			}
			l.wrote(len(e.line), l.write(e.line))
		}
	}
	l.notify()
	for _, written := range flushes {
		close(written)
	}
}

func (l *lossy) take() []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch := l.waiting
	l.waiting = nil
	return batch
}

func (l *lossy) wrote(size int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines--
	l.bytes -= size
	if err != nil {
		l.drop()
	}
}

// write writes one line. One that was written in part is ended first, so that the next can be read.
func (l *lossy) write(line []byte) error {
	if l.torn {
		if _, err := io.WriteString(l.to, "\n"); err != nil {
			return err
		}
		l.torn = false
	}
	n, err := l.to.Write(line)
	l.torn = err != nil && n > 0
	return err
}

// notify writes the notice. One that cannot be written is tried again after the next line.
func (l *lossy) notify() {
	l.mu.Lock()
	missing, notice := l.missing, l.notice
	l.missing, l.dropping = 0, false
	l.mu.Unlock()
	if missing == 0 || notice == nil || notice(missing) == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.missing += missing
}

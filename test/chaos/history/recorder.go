package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Recorder writes records. Its methods may be called concurrently, also on nil,
// which records nothing.
type Recorder struct {
	start time.Time

	mu      sync.Mutex
	out     *bufio.Writer
	flushed time.Time
	err     error // the first one
}

// New returns a Recorder whose clock starts now.
func New(out io.Writer) *Recorder {
	return &Recorder{start: time.Now(), out: bufio.NewWriterSize(out, 1<<16)}
}

// flushEvery is how much of a history is lost at most when its process is killed.
const flushEvery = time.Second

// Since returns the seconds from the run's start to a moment.
func (r *Recorder) Since(moment time.Time) float64 {
	if r == nil {
		return 0
	}
	return float64(moment.Sub(r.start).Microseconds()) / 1e6
}

// Add writes a record that happens now.
func (r *Recorder) Add(record Record) { r.AddAt(time.Now(), record) }

// AddAt writes a record that happened at a moment.
func (r *Recorder) AddAt(moment time.Time, record Record) {
	if r == nil {
		return
	}
	line, err := line(r.Since(moment), record)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		_, err = r.out.Write(line)
	}
	if now := time.Now(); err == nil && now.Sub(r.flushed) > flushEvery {
		r.flushed, err = now, r.out.Flush()
	}
	if r.err == nil {
		r.err = err
	}
}

// Close writes what is buffered and returns the first error of all writing.
func (r *Recorder) Close() error {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.out.Flush(); r.err == nil {
		r.err = err
	}
	return r.err
}

// line returns a record as one flat object: its stamp, then its fields.
//
//	{"t":1.234567,"kind":"ready","stream":17}
func line(seconds float64, record Record) ([]byte, error) {
	fields, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	text := fmt.Appendf(nil, `{"t":%.6f,"kind":%q`, seconds, record.kind())
	if len(fields) > len("{}") {
		text = append(text, ',')
	}
	return append(append(text, fields[1:]...), '\n'), nil
}

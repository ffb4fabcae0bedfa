package httpapi

import (
	"net"
	"slices"
	"sync"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/http/sse"
)

const (
	// batchBytes is how much is gathered for one write. More saves nothing:
	// at 32 KiB the kernel's copy outweighs the call by far.
	batchBytes = 32 << 10

	// largeData is the size from which an event's data is written from where
	// it lies, instead of being copied into the batch.
	largeData = 8 << 10

	// frameRoom is the most that a frame with small data takes, with room to
	// spare for its fields.
	frameRoom = largeData + 256
)

// batch gathers frames for one write. Data that is large comes last and is
// not copied:
//
//	buf[:split]                     large       buf[split:]
//	frame frame … event: … data:    {"payload"…  ⏎id: -⏎⏎
//
// It is borrowed from a pool for the time of writing, so an idle stream costs
// no buffer.
type batch struct {
	buf    []byte
	split  int    // where large stands, if there is any
	large  []byte // shared with other streams: not edited
	ends   []int  // where each frame ends, in bytes from the start of the batch
	headed bool   // the response's head stands first
	events []actors.Event
	first  *actors.Message // of those in the batch: the one that has waited longest
	last   *actors.Message
	ready  bool // the event ready is in the batch

	scratch []byte
	buffers [3][]byte // what between returns
}

var batches = sync.Pool{New: func() any {
	return &batch{buf: make([]byte, 0, batchBytes), scratch: make([]byte, 0, 64)}
}}

func borrowBatch() *batch { return batches.Get().(*batch) }

// maxTaken is the longest list of events that is kept with a batch.
const maxTaken = 1024

// giveBack returns the batch to the pool. It must not be used after that.
func (b *batch) giveBack() {
	b.reset()
	clear(b.events) // messages are shared and large; the pool must not hold them
	if b.events = b.events[:0]; cap(b.events) > maxTaken {
		b.events = nil
	}
	batches.Put(b)
}

func (b *batch) reset() {
	b.buf, b.split, b.large, b.ends, b.headed = b.buf[:0], 0, nil, b.ends[:0], false
	b.first, b.last, b.ready = nil, nil, false
}

// withhold takes the events out of the batch; the response's head stays.
func (b *batch) withhold() {
	kept, ends := 0, b.ends[:0]
	if b.headed {
		kept, ends = b.ends[0], b.ends[:1]
	}
	b.buf, b.split, b.large, b.ends = b.buf[:kept], 0, nil, ends
	b.first, b.last, b.ready = nil, nil, false
}

// size is the number of bytes to write.
func (b *batch) size() int { return len(b.buf) + len(b.large) }

// full reports whether another frame may not fit.
func (b *batch) full() bool { return b.large != nil || len(b.buf)+frameRoom > batchBytes }

// head adds the response's head, which goes first. Its end counts as a frame's.
func (b *batch) head(head []byte) {
	b.buf = append(b.buf, head...)
	b.ends = append(b.ends, len(b.buf))
	b.headed = true
}

// note remembers what is to be acknowledged, counted and timed when the batch has been written.
func (b *batch) note(event actors.Event) {
	switch e := event.(type) {
	case *actors.Message:
		if b.first == nil {
			b.first = e
		}
		b.last = e
	case actors.Ready:
		b.ready = true
	}
}

// add adds an event's frame. It returns an error, and adds nothing, where the
// event's data is more than one line, which is a defect of the event's maker.
func (b *batch) add(event actors.Event) error {
	name, text := eventData(event, b.scratch[:0])
	data, err := sse.NewData(text)
	if err != nil {
		return err
	}
	if data.Len() > largeData {
		b.buf = frames.AppendHead(b.buf, name)
		b.split, b.large = len(b.buf), data.Bytes()
		b.buf = frames.AppendTail(b.buf)
	} else {
		b.buf = frames.Append(b.buf, name, data)
	}
	b.ends = append(b.ends, b.size())
	return nil
}

// between returns the batch's bytes from one place to another, in up to three
// parts. The result is valid until the next call.
func (b *batch) between(from, to int) net.Buffers {
	if b.large == nil {
		b.buffers[0] = b.buf[from:to]
		return b.buffers[:1]
	}
	parts := b.buffers[:0]
	start := 0
	for _, whole := range [...][]byte{b.buf[:b.split], b.large, b.buf[b.split:]} {
		low, high := max(from-start, 0), min(to-start, len(whole))
		if low < high {
			parts = append(parts, whole[low:high])
		}
		start += len(whole)
	}
	return parts
}

// restOfFrame returns a copy of what is missing of the frame (or head) in which a
// write stopped; nil where it stopped between two frames.
func (b *batch) restOfFrame(at int) []byte {
	if (at == 0 && !b.headed) || slices.Contains(b.ends, at) {
		return nil
	}
	for _, end := range b.ends {
		if end > at {
			return slices.Concat(b.between(at, end)...)
		}
	}
	return nil
}

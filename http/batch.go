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
	ends   []int  // where each frame ends, from the start of the batch
	headed bool   // the response's head stands in front
	events []actors.Event

	scratch []byte
	parts   [3][]byte
}

var batches = sync.Pool{New: func() any {
	return &batch{buf: make([]byte, 0, batchBytes), scratch: make([]byte, 0, 64)}
}}

func borrowBatch() *batch { return batches.Get().(*batch) }

// maxTaken is the longest list of events that is kept with a batch.
const maxTaken = 1024

// giveBack ends the use of the batch.
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
}

// size is the number of bytes to write.
func (b *batch) size() int { return len(b.buf) + len(b.large) }

// full tells whether another frame would not fit.
func (b *batch) full() bool { return b.large != nil || len(b.buf)+frameRoom > batchBytes }

// head puts the response's head in front. Its end is a place to stop, too.
func (b *batch) head(head []byte) {
	b.buf = append(b.buf, head...)
	b.ends = append(b.ends, len(b.buf))
	b.headed = true
}

// add puts in an event's frame. It fails where the event's data is more than
// one line, which is a defect of whoever made it.
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

// window gives the batch's bytes between two places, in up to three parts. It
// is valid until the next call.
func (b *batch) window(from, to int) net.Buffers {
	if b.large == nil {
		b.parts[0] = b.buf[from:to]
		return b.parts[:1]
	}
	parts := b.parts[:0]
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

// cut gives what is missing of the frame (or head) that a write was stopped in
// at a place; nothing where that is between two frames. The bytes are a copy.
func (b *batch) cut(at int) []byte {
	if (at == 0 && !b.headed) || slices.Contains(b.ends, at) {
		return nil
	}
	for _, end := range b.ends {
		if end > at {
			return slices.Concat(b.window(at, end)...)
		}
	}
	return nil
}

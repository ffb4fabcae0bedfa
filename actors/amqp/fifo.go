package amqp

// keepSlots is how many slots an empty fifo keeps: thousands of queues are idle at a time, and a
// burst of one of them must not stay in memory.
const keepSlots = 64

// fifo is a queue of values that releases its memory when it is empty. The zero value is ready. It
// is not safe for concurrent use.
type fifo[T any] struct {
	slots []T
	head  int
}

func (f *fifo[T]) len() int { return len(f.slots) - f.head }

// at returns the i-th value from the front.
func (f *fifo[T]) at(i int) T { return f.slots[f.head+i] }

func (f *fifo[T]) push(v T) {
	if f.head > 0 && len(f.slots) == cap(f.slots) && f.head >= f.len() {
		f.compact() // at least half is free: moving is cheaper than growing
	}
	f.slots = append(f.slots, v)
}

// pop removes the front value and returns it; the fifo must not be empty.
func (f *fifo[T]) pop() T {
	var none T
	v := f.slots[f.head]
	f.slots[f.head] = none // the garbage collector may have what it points to
	f.head++
	if f.len() == 0 {
		f.reset()
	}
	return v
}

func (f *fifo[T]) compact() {
	n := copy(f.slots, f.slots[f.head:])
	clear(f.slots[n:])
	f.slots, f.head = f.slots[:n], 0
}

func (f *fifo[T]) reset() {
	f.head = 0
	if cap(f.slots) > keepSlots {
		f.slots = nil
		return
	}
	f.slots = f.slots[:0]
}

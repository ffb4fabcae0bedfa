package actors

// backlog is the account of the messages' bytes that a stream holds in memory: what waits for the
// reader, and what the reader has taken and not written yet. It is a value; the stream's mutex
// guards it.
type backlog struct {
	limit   int // of bytes, where the source cannot be slowed down; 0: none
	waiting int
	taken   int
	largest int // of the messages since it was empty
}

// held returns all bytes of the account.
func (b *backlog) held() int { return b.waiting + b.taken }

// room returns how many bytes may be held: the limit, or three messages where those are larger.
func (b *backlog) room(size int) int { return max(b.limit, paceFewest*max(b.largest, size)) }

// fits reports whether a message of this size may come to wait.
func (b *backlog) fits(size int) bool {
	return b.limit == 0 || size == 0 || b.held()+size <= b.room(size)
}

// halfFull reports whether more than half of what may be held is.
func (b *backlog) halfFull() bool { return b.limit > 0 && b.held() > b.room(0)/2 }

// add takes a message that comes to wait into account.
func (b *backlog) add(size int) {
	if b.held() == 0 {
		b.largest = 0
	}
	b.waiting += size
	b.largest = max(b.largest, size)
}

// take: the reader has taken all that waits.
func (b *backlog) take() { b.taken, b.waiting = b.taken+b.waiting, 0 }

// written: the reader has written a message of this size, which it had taken.
func (b *backlog) written(size int) { b.taken = max(0, b.taken-size) }

// writtenAll: the reader has written all that it had taken.
func (b *backlog) writtenAll() { b.taken = 0 }

// drop: what waits will not be read.
func (b *backlog) drop() { b.waiting = 0 }

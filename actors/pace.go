package actors

// pace decides how many deliveries a channel may have under way, so that their bytes stay within a
// limit: AMQP bounds them by number only, and fifty messages of 2 MB are 100 MB for one reader that
// is slow. It is a pure value; the worker applies what it decides.
//
// A channel starts with few, and gets more as soon as it has seen that its messages are small. When
// large ones come it goes back to fewer; those that are under way then are at most one window.
type pace struct {
	most  int // deliveries under way where messages are small
	bytes int // limit of their bytes; 0: none
	now   int // deliveries that may be under way at present
	size  int // of recent messages, in bytes: the largest one, fading
	seen  int // deliveries since the last change
}

const (
	// paceFewest is what the largest messages come down to: one is written, one waits to be written
	// next, one is on its way from the broker.
	paceFewest = 3
	// paceGrowth bounds one step up, as the next messages may be larger than those seen.
	paceGrowth = 20
	// paceFading is by how much (1/8) the size falls with each smaller message.
	paceFading = 8
)

// newPace returns the pace of a channel that has delivered nothing.
func newPace(most, bytes int) pace {
	if bytes == 0 {
		return fixedPace(most)
	}
	return pace{most: most, bytes: bytes, now: min(paceFewest, most)}
}

// fixedPace returns a pace that never changes.
func fixedPace(n int) pace { return pace{most: n, now: n} }

// delivered takes the size of a message into account.
func (p *pace) delivered(size int) {
	p.seen++
	if size < p.size {
		size = p.size - (p.size-size)/paceFading
	}
	p.size = size
}

// change returns another number of deliveries that may be under way, or 0 where the present one is
// right.
func (p *pace) change() int {
	if p.bytes == 0 {
		return 0
	}
	fit := min(p.most, max(paceFewest, p.bytes/max(1, p.size)))
	switch {
	case fit <= p.now/2:
		return fit
	case p.seen >= p.now && fit > p.now && (fit >= 2*p.now || fit == p.most):
		return min(fit, p.now*paceGrowth)
	}
	return 0
}

func (p *pace) set(n int) { p.now, p.seen = n, 0 }

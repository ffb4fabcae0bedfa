package amqp

// handover merges what a channel's consumer still delivers with what its replacement delivers, in
// the order of their tags: a channel numbers its deliveries without a gap, whichever of its
// consumers they go to.
//
//	old      ─ 7 ── 8 ────── 10 ─┐ closed when the old consumer is cancelled and empty
//	current  ────────── 9 ─────────── 11 ── 12 ─     merged: 7 8 9 10 11 12
type handover[D any] struct {
	tag     func(*D) uint64
	old     <-chan D // nil once it is over
	next    uint64   // the tag that comes next
	held    *D       // came before its turn; nil: none did
	heldOld bool     // held came from old
}

// over reports whether the replacement alone delivers.
func (h *handover[D]) over() bool { return h.old == nil && h.held == nil }

// receive waits for the next delivery in order and puts it into d. It returns false where a value
// was taken from wake first, or where deliveries have ended: then ended is true.
func (h *handover[D]) receive(current <-chan D, wake <-chan struct{}, d *D) (ok, ended bool) {
	for {
		if h.held != nil && (h.old == nil || h.tag(h.held) == h.next) {
			*d, h.held = *h.held, nil
			return h.give(d), false
		}
		open, fromOld := false, true
		select {
		case *d, open = <-h.unheld(h.old, true):
		case *d, open = <-h.unheld(current, false):
			fromOld = false
		case <-wake:
			return false, false
		}
		switch {
		case !open && fromOld:
			h.old = nil
		case !open:
			return false, true
		case h.old == nil || h.tag(d) == h.next:
			return h.give(d), false
		default:
			held := *d
			h.held, h.heldOld = &held, fromOld
		}
	}
}

// unheld returns the channel, or nil where its first delivery is held: the other has what is
// missing.
func (h *handover[D]) unheld(deliveries <-chan D, old bool) <-chan D {
	if h.held != nil && h.heldOld == old {
		return nil
	}
	return deliveries
}

func (h *handover[D]) give(d *D) bool {
	h.next = h.tag(d) + 1
	return true
}

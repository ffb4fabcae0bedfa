package amqp

import (
	"testing"

	"pgregory.net/rapid"
)

// However two consumers of a channel share its deliveries, and whichever of them is read first,
// they come in the order of their tags.
func TestAHandoverKeepsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		toOld := rapid.SliceOfN(rapid.Bool(), 1, 30).Draw(t, "deliveries to the old consumer")
		old, current := make(chan uint64, len(toOld)), make(chan uint64, len(toOld)+1)
		for i, is := range toOld {
			if is {
				old <- uint64(i + 1)
			} else {
				current <- uint64(i + 1)
			}
		}
		close(old)
		h := handover[uint64]{tag: func(d *uint64) uint64 { return *d }, old: old, next: 1}
		var d uint64
		for want := uint64(1); want <= uint64(len(toOld)); want++ {
			if ok, _ := h.receive(current, nil, &d); !ok || d != want {
				t.Fatalf("delivery %d came as %d, %v", want, d, ok)
			}
		}
		wake := make(chan struct{}, 1)
		wake <- struct{}{}
		if ok, ended := h.receive(current, wake, &d); ok || ended {
			t.Fatalf("after the last delivery: %v, ended %v", ok, ended)
		}
		close(current)
		if ok, ended := h.receive(current, nil, &d); ok || !ended {
			t.Fatalf("after the end: %v, ended %v", ok, ended)
		}
	})
}

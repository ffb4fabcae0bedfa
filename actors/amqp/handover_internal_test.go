package amqp

import (
	"math/rand/v2"
	"testing"
)

// However two consumers of a channel share its deliveries, and whichever of them is read first,
// they come in the order of their tags.
func TestAHandoverKeepsTheOrder(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		toOld := make([]bool, 1+r.IntN(30))
		for i := range toOld {
			toOld[i] = r.IntN(2) == 0
		}
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
				t.Fatalf("seed %d: delivery %d came as %d, %v", seed, want, d, ok)
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
	}
}

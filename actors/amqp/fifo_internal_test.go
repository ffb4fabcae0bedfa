package amqp

import "testing"

// A fifo returns what was put in, in order, however the two alternate.
func TestAFifoKeepsTheOrder(t *testing.T) {
	for _, pops := range []int{0, 1, 2, 3, 5} { // for every 3 that are pushed
		var f fifo[int]
		var in, out int
		for range 1000 {
			for range 3 {
				f.push(in)
				in++
			}
			for i := 0; i < pops && f.len() > 0; i++ {
				if last := f.at(f.len() - 1); last != in-1 {
					t.Fatalf("the last is %d, want %d", last, in-1)
				}
				if v := f.pop(); v != out {
					t.Fatalf("got %d, want %d", v, out)
				}
				out++
			}
			if f.len() != in-out {
				t.Fatalf("length %d, want %d", f.len(), in-out)
			}
		}
	}
}

// A burst does not stay in memory, and a steady flow does not grow.
func TestAFifoGivesItsMemoryBack(t *testing.T) {
	var f fifo[int]
	for i := range 10_000 {
		f.push(i)
	}
	for f.len() > 0 {
		f.pop()
	}
	if cap(f.slots) > keepSlots {
		t.Errorf("an empty fifo keeps %d slots", cap(f.slots))
	}
	f.push(0)
	for i := range 10_000 {
		f.push(i)
		f.pop()
	}
	if cap(f.slots) > keepSlots {
		t.Errorf("a fifo of one value has %d slots", cap(f.slots))
	}
}

// What was given out is not kept alive.
func TestAFifoForgetsWhatItGaveOut(t *testing.T) {
	var f fifo[*int]
	for range 4 {
		f.push(new(int))
	}
	f.pop()
	f.pop()
	for _, slot := range f.slots[:f.head] {
		if slot != nil {
			t.Error("a slot that is free still points to its value")
		}
	}
}

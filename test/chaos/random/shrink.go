package random

// Shrink returns a short part of a schedule that still fails, by leaving out halves,
// then quarters, and so on. fails plays a schedule; it is called tries times at
// most, and must have failed for all of the steps.
func Shrink(steps []Step, tries int, fails func([]Step) bool) []Step {
	for parts := 2; len(steps) > 1 && parts <= len(steps); {
		shorter, tried := without(steps, parts, tries, fails)
		if tries -= tried; tries <= 0 && shorter == nil {
			return steps
		}
		if shorter == nil {
			if parts == len(steps) {
				return steps
			}
			parts = min(2*parts, len(steps))
			continue
		}
		steps, parts = shorter, max(2, parts-1)
	}
	return steps
}

// without leaves out each of so many parts in turn until the rest fails; nil where
// no rest does.
func without(steps []Step, parts, tries int, fails func([]Step) bool) (shorter []Step, tried int) {
	for i := range parts {
		from, to := i*len(steps)/parts, (i+1)*len(steps)/parts
		rest := append(append([]Step(nil), steps[:from]...), steps[to:]...)
		if tried == tries || len(rest) == 0 {
			break
		}
		tried++
		if fails(rest) {
			return rest, tried
		}
	}
	return nil, tried
}

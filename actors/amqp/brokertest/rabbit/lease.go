package rabbit

import (
	"fmt"
	"slices"
	"sync"
)

// leases are the nodes that a test can have for itself, by number; true: one has it.
var leases struct {
	sync.Mutex
	taken []bool
}

// Lease returns a node of the package that no other test has before t has ended: tests that harm
// their node, or what all its virtual hosts share, can run side by side. It is as Run's is, and as
// many are started as tests have had one at a time.
func Lease(t interface {
	TB
	Cleanup(func())
}) *Node {
	t.Helper()
	k := lease()
	t.Cleanup(func() {
		leases.Lock()
		defer leases.Unlock()
		leases.taken[k] = false
	})
	return RunNamed(t, fmt.Sprint("leased ", k))
}

// lease takes the first that is free.
func lease() int {
	leases.Lock()
	defer leases.Unlock()
	k := slices.Index(leases.taken, false)
	if k < 0 {
		k = len(leases.taken)
		leases.taken = append(leases.taken, false)
	}
	leases.taken[k] = true
	return k
}

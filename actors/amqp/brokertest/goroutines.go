package brokertest

import (
	"runtime"
	"strings"
	"time"
)

// Goroutines that belong to the test's own machinery, by a function on their stack.
var machinery = []string{
	"testing.(*T).Run(", "testing.(*M).", "testing.tRunner.func", "testing.runTests", "testing.(*F).Fuzz(",
	"os/signal.signal_recv(", "os/signal.loop(", "runtime.ensureSigM(", "testing/synctest.",
}

// lasting returns those of goroutines that are still there a moment later: a timer's function, such
// as that of a context's deadline, has a goroutine of its own for microseconds.
func lasting() map[string]string {
	stacks := goroutines()
	time.Sleep(5 * time.Millisecond)
	now := goroutines()
	for id := range stacks {
		if now[id] == "" {
			delete(stacks, id)
		}
	}
	return stacks
}

// goroutines returns the stacks of all goroutines but the calling one, by their ids.
//
//	goroutine 18 [select]:
//	main.work(…)
func goroutines() map[string]string {
	buffer := make([]byte, 64<<10)
	for {
		n := runtime.Stack(buffer, true)
		if n < len(buffer) {
			buffer = buffer[:n]
			break
		}
		buffer = make([]byte, 2*len(buffer))
	}
	stacks := map[string]string{}
	for i, stack := range strings.Split(string(buffer), "\n\n") {
		id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
		if i > 0 && !ours(stack) { // the first is the calling one
			stacks[id] = stack
		}
	}
	return stacks
}

func ours(stack string) bool {
	for _, function := range machinery {
		if strings.Contains(stack, function) {
			return true
		}
	}
	return false
}

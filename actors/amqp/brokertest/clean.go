package brokertest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// Patience is how long what a test used may take to go away when the test has ended.
const Patience = 15 * time.Second

// T is what Clean needs of a *testing.T or *testing.B. One that has a method
// Patience() time.Duration sets its own.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Clean fails the test if, when it has ended, something exists on the broker or a
// goroutine in this process that was not there when Clean was called. It is called
// first, so that it looks last: after all that the test itself cleans up. Tests that
// run side by side on one broker would be blamed for each other: give each a virtual
// host, or use Main.
func Clean(t T, broker Broker) {
	t.Helper()
	before, err := begin(broker)
	if err != nil {
		t.Fatalf("%v", err)
		return // a T of another kind may go on
	}
	patience := Patience
	if own, ok := t.(interface{ Patience() time.Duration }); ok {
		patience = own.Patience()
	}
	t.Cleanup(func() {
		t.Helper()
		if left := before.left(broker, patience); left != "" {
			t.Errorf("the test has not cleaned up:\n%s", left)
		}
	})
}

// M is what Main needs of a *testing.M.
type M interface{ Run() int }

// Main runs a package's tests and returns their exit status, which is 1 too if they
// have left something on the broker or in this process. It takes the broker's lag
// once, not for each test.
//
//	func TestMain(m *testing.M) { os.Exit(brokertest.Main(m, broker)) }
func Main(m M, broker Broker) int {
	before, err := begin(broker)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status := m.Run()
	if left := before.left(broker, Patience); left != "" {
		fmt.Fprintf(os.Stderr, "the tests have not cleaned up:\n%s\n", left)
		return max(status, 1)
	}
	return status
}

// beginning is what was there before.
type beginning struct {
	census     Census
	goroutines map[string]string
}

func begin(broker Broker) (b beginning, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if b.census, err = broker.Census(ctx); err != nil {
		return b, fmt.Errorf("before the test: %w", err)
	}
	b.goroutines = goroutines()
	return b, nil
}

// left waits until nothing is there that was not there before, and returns what still
// is when the patience ends.
func (b beginning) left(broker Broker, patience time.Duration) (left string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience+broker.Lag())
	defer cancel()
	believable := time.Now().Add(broker.Lag()) // before that a clean account may be an old one
	tick := time.NewTicker(max(20*time.Millisecond, broker.Lag()/20))
	defer tick.Stop()
	for {
		old := time.Now().Before(believable)
		now := b.now(ctx, broker)
		switch {
		case ctx.Err() != nil && left != "": // what was seen last, whole
			return left
		case now == "" && !old:
			return ""
		}
		left = now
		select {
		case <-tick.C:
		case <-ctx.Done():
			return left
		}
	}
}

// now returns what is there and was not before. Goroutines are looked at first: to ask
// the broker takes some too.
func (b beginning) now(ctx context.Context, broker Broker) string {
	var lines []string
	running := lasting()
	census, err := broker.Census(ctx)
	if err != nil {
		lines = append(lines, "the broker could not be asked: "+err.Error())
	}
	if left := census.beyond(b.census); left != "" {
		lines = append(lines, left)
	}
	for id, stack := range running {
		if b.goroutines[id] == "" {
			lines = append(lines, "a goroutine left:\n"+stack)
		}
	}
	return strings.Join(lines, "\n")
}

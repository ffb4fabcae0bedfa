package rabbit

import (
	"context"
	"errors"
	"os"
	"sync"
)

// The node of a test package is started by the first test that asks for it and
// ended by Main. It is shared: a test that changes it in a lasting way (users,
// virtual hosts, exchanges) uses names of its own.

// TB is what of testing.TB is needed here.
type TB interface {
	Context() context.Context
	Helper()
	Fatalf(format string, arguments ...any)
}

var shared struct {
	sync.Mutex
	inMain bool
	node   *Node
	dir    string
}

// Run returns the package's node, which tests may harm: started, thawed and ready
// for clients, whatever the test before did to it. The package's TestMain must go through Main.
func Run(t TB) *Node {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.inMain {
		t.Fatalf("rabbit: TestMain must call rabbit.Main, so that the node is ended")
	}
	if err := runShared(t.Context()); err != nil {
		t.Fatalf("%v", err)
	}
	return shared.node
}

func runShared(ctx context.Context) (err error) {
	if shared.node == nil {
		if shared.dir, err = os.MkdirTemp("", "events-rabbit-"); err != nil {
			return err
		}
		shared.node, err = StartNode(ctx, shared.dir)
		return err
	}
	if err := shared.node.Thaw(); errors.Is(err, ErrNotRunning) {
		return shared.node.Start(ctx)
	}
	return nil
}

// Main wraps the tests of a package so that its node ends with them:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(m)) }
//	func TestMain(m *testing.M) { os.Exit(rabbit.Main(m).Run()) }
func Main(m interface{ Run() int }) Runner {
	shared.inMain = true
	return Runner{m}
}

// Runner runs the tests of a package, and then ends the package's node.
type Runner struct{ tests interface{ Run() int } }

// Run returns the exit status.
func (r Runner) Run() int {
	status := r.tests.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.node != nil {
		shared.node.Close()
	}
	if shared.dir != "" {
		os.RemoveAll(shared.dir)
	}
	return status
}

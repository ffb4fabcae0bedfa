package rabbit

import (
	"context"
	"errors"
	"os"
	"sync"
)

// A node of a test package is started by the first test that asks for it and
// ended by Main. It is shared: a test that changes it in a lasting way (users,
// virtual hosts, exchanges) uses names of its own, and one that harms it runs alone, or on a
// node that it has for itself, see [Lease]. So is a cluster.

// TB is what of testing.TB is needed here.
type TB interface {
	Context() context.Context
	Helper()
	Fatalf(format string, arguments ...any)
}

// Run returns the package's node, which tests may harm: started, thawed and ready
// for clients, whatever the test before did to it. The package's TestMain must go through Main.
func Run(t TB) *Node {
	t.Helper()
	return RunNamed(t, "")
}

// RunNamed returns a further node of the package, the one with this name, as Run does. What befalls
// it does not concern the others.
func RunNamed(t TB, name string) *Node {
	t.Helper()
	start := func(dir string) (*Node, error) { return StartNode(t.Context(), dir) }
	return run(t, &shared.nodes, name, start, func(n *Node) error {
		if err := n.Thaw(); errors.Is(err, ErrNotRunning) {
			return n.Start(t.Context())
		}
		return nil
	})
}

// RunCluster returns the package's cluster with these options, which tests may
// harm: healed, whatever the test before did to it. The package's TestMain must
// go through Main.
func RunCluster(t TB, o ClusterOptions) *Cluster {
	t.Helper()
	start := func(dir string) (*Cluster, error) { return StartCluster(t.Context(), dir, o) }
	return run(t, &shared.clusters, o, start, func(c *Cluster) error { return c.Heal(t.Context()) })
}

// shared is what the tests of the package share.
var shared struct {
	inMain   bool // set before the tests
	nodes    brokers[string, *Node]
	clusters brokers[ClusterOptions, *Cluster]
	mu       sync.Mutex
	dirs     []string
}

// brokers are the package's nodes, or its clusters.
type brokers[K comparable, B closer] struct {
	mu  sync.Mutex
	all map[K]*broker[B]
}

type closer interface{ Close() error }

// broker is one of them; its mutex is held while it is started or mended.
type broker[B closer] struct {
	mu      sync.Mutex
	started bool
	it      B
}

// run returns one of the brokers, which may not be started yet.
func run[K comparable, B closer](t TB, of *brokers[K, B], key K, start func(dir string) (B, error), mend func(B) error) B {
	t.Helper()
	if !shared.inMain {
		t.Fatalf("rabbit: TestMain must call rabbit.Main, so that nodes and clusters are ended")
	}
	b := of.find(key)
	if err := b.run(start, mend); err != nil {
		t.Fatalf("%v", err)
	}
	return b.it
}

func (s *brokers[K, B]) find(key K) *broker[B] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[K]*broker[B]{}
	}
	if s.all[key] == nil {
		s.all[key] = &broker[B]{}
	}
	return s.all[key]
}

// close ends those that were started.
func (s *brokers[K, B]) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.all {
		if b.started {
			b.it.Close()
		}
	}
}

// run starts the broker the first time, and undoes what was done to it from then on.
func (b *broker[B]) run(start func(dir string) (B, error), mend func(B) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.started {
		return mend(b.it)
	}
	dir, err := sharedDir()
	if err == nil {
		b.it, err = start(dir)
	}
	b.started = err == nil
	return err
}

// sharedDir makes a folder that is removed after the tests.
func sharedDir() (string, error) {
	dir, err := os.MkdirTemp("", "events-rabbit-")
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.dirs = append(shared.dirs, dir)
	return dir, err
}

// Main wraps the tests of a package so that its nodes and clusters end with them:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(m)) }
//	func TestMain(m *testing.M) { os.Exit(rabbit.Main(m).Run()) }
func Main(m interface{ Run() int }) Runner {
	shared.inMain = true
	return Runner{m}
}

// Runner runs the tests of a package, and then ends the package's nodes and clusters.
type Runner struct{ tests interface{ Run() int } }

// Run returns the exit status.
func (r Runner) Run() int {
	status := r.tests.Run()
	shared.nodes.close()
	shared.clusters.close()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	for _, dir := range shared.dirs {
		os.RemoveAll(dir)
	}
	return status
}

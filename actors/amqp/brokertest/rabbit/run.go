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
// node that it has for itself, see [Lease].

// TB is what of testing.TB is needed here.
type TB interface {
	Context() context.Context
	Helper()
	Fatalf(format string, arguments ...any)
}

var shared struct {
	sync.Mutex
	inMain   bool
	nodes    map[string]*packageNode
	clusters map[ClusterOptions]*packageCluster
	dirs     []string
}

// packageNode is one of the package's nodes; its mutex is held while it is started.
type packageNode struct {
	sync.Mutex
	node *Node
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
	n, err := nodeNamed(name)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if err := n.run(t.Context()); err != nil {
		t.Fatalf("%v", err)
	}
	return n.node
}

// nodeNamed returns one of the package's nodes; it may not be started yet.
func nodeNamed(name string) (*packageNode, error) {
	shared.Lock()
	defer shared.Unlock()
	if !shared.inMain {
		return nil, errNotInMain
	}
	if shared.nodes[name] == nil {
		shared.nodes[name] = &packageNode{}
	}
	return shared.nodes[name], nil
}

var errNotInMain = errors.New("rabbit: TestMain must call rabbit.Main, so that nodes and clusters are ended")

// run starts the node the first time, and undoes what was done to its process since.
func (n *packageNode) run(ctx context.Context) error {
	n.Lock()
	defer n.Unlock()
	if n.node == nil {
		dir, err := sharedDir()
		if err == nil {
			n.node, err = StartNode(ctx, dir)
		}
		return err
	}
	if err := n.node.Thaw(); errors.Is(err, ErrNotRunning) {
		return n.node.Start(ctx)
	}
	return nil
}

// sharedDir makes a folder that is removed after the tests.
func sharedDir() (string, error) {
	dir, err := os.MkdirTemp("", "events-rabbit-")
	shared.Lock()
	defer shared.Unlock()
	shared.dirs = append(shared.dirs, dir)
	return dir, err
}

// Main wraps the tests of a package so that its nodes and clusters end with them:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(m)) }
//	func TestMain(m *testing.M) { os.Exit(rabbit.Main(m).Run()) }
func Main(m interface{ Run() int }) Runner {
	shared.inMain = true
	shared.nodes, shared.clusters = map[string]*packageNode{}, map[ClusterOptions]*packageCluster{}
	return Runner{m}
}

// Runner runs the tests of a package, and then ends the package's nodes and clusters.
type Runner struct{ tests interface{ Run() int } }

// Run returns the exit status.
func (r Runner) Run() int {
	status := r.tests.Run()
	shared.Lock()
	defer shared.Unlock()
	for _, n := range shared.nodes {
		if n.node != nil {
			n.node.Close()
		}
	}
	for _, c := range shared.clusters {
		if c.cluster != nil {
			c.cluster.Close()
		}
	}
	for _, dir := range shared.dirs {
		os.RemoveAll(dir)
	}
	return status
}

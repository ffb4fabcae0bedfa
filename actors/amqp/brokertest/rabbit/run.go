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
	inMain   bool
	node     *Node
	clusters map[ClusterOptions]*Cluster
	dirs     []string
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
		dir, err := sharedDir()
		if err == nil {
			shared.node, err = StartNode(ctx, dir)
		}
		return err
	}
	if err := shared.node.Thaw(); errors.Is(err, ErrNotRunning) {
		return shared.node.Start(ctx)
	}
	return nil
}

// RunCluster returns the package's cluster with these options, which tests may
// harm: healed, whatever the test before did to it. The package's TestMain must
// go through Main.
func RunCluster(t TB, o ClusterOptions) *Cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.inMain {
		t.Fatalf("rabbit: TestMain must call rabbit.Main, so that the cluster is ended")
	}
	c, err := runSharedCluster(t.Context(), o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return c
}

func runSharedCluster(ctx context.Context, o ClusterOptions) (*Cluster, error) {
	if c := shared.clusters[o]; c != nil {
		return c, c.Heal(ctx)
	}
	dir, err := sharedDir()
	if err != nil {
		return nil, err
	}
	c, err := StartCluster(ctx, dir, o)
	if err != nil {
		return nil, err
	}
	if shared.clusters == nil {
		shared.clusters = map[ClusterOptions]*Cluster{}
	}
	shared.clusters[o] = c
	return c, nil
}

// sharedDir makes a folder that is removed after the tests.
func sharedDir() (string, error) {
	dir, err := os.MkdirTemp("", "events-rabbit-")
	shared.dirs = append(shared.dirs, dir)
	return dir, err
}

// Main wraps the tests of a package so that its node and clusters end with them:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(m)) }
//	func TestMain(m *testing.M) { os.Exit(rabbit.Main(m).Run()) }
func Main(m interface{ Run() int }) Runner {
	shared.inMain = true
	return Runner{m}
}

// Runner runs the tests of a package, and then ends the package's node and clusters.
type Runner struct{ tests interface{ Run() int } }

// Run returns the exit status.
func (r Runner) Run() int {
	status := r.tests.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.node != nil {
		shared.node.Close()
	}
	for _, c := range shared.clusters {
		c.Close()
	}
	for _, dir := range shared.dirs {
		os.RemoveAll(dir)
	}
	return status
}

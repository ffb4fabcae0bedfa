package rabbit

import (
	"context"
	"sync"
)

// packageCluster is one of the package's clusters; its mutex is held while it is started or healed.
type packageCluster struct {
	sync.Mutex
	cluster *Cluster
}

// RunCluster returns the package's cluster with these options, which tests may
// harm: healed, whatever the test before did to it. The package's TestMain must
// go through Main.
func RunCluster(t TB, o ClusterOptions) *Cluster {
	t.Helper()
	c, err := clusterWith(o)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if err := c.run(t.Context(), o); err != nil {
		t.Fatalf("%v", err)
	}
	return c.cluster
}

// clusterWith returns one of the package's clusters; it may not be started yet.
func clusterWith(o ClusterOptions) (*packageCluster, error) {
	shared.Lock()
	defer shared.Unlock()
	if !shared.inMain {
		return nil, errNotInMain
	}
	if shared.clusters[o] == nil {
		shared.clusters[o] = &packageCluster{}
	}
	return shared.clusters[o], nil
}

// run starts the cluster the first time, and heals it from then on.
func (c *packageCluster) run(ctx context.Context, o ClusterOptions) error {
	c.Lock()
	defer c.Unlock()
	if c.cluster != nil {
		return c.cluster.Heal(ctx)
	}
	dir, err := sharedDir()
	if err == nil {
		c.cluster, err = StartCluster(ctx, dir, o)
	}
	return err
}

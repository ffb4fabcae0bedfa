package cluster

import (
	"path/filepath"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/script"
)

// The faults of nodes are commands of scripts, with signs of their own, and what the scripts claim
// of the real process holds.
func TestChaosScriptsOnACluster(t *testing.T) {
	cluster := rabbit.RunCluster(t, rabbit.ClusterOptions{Settings: "cluster_partition_handling = pause_minority"})
	files, err := filepath.Glob("../chaos/scripts/cluster/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("scripts are missing", len(files), err)
	}
	binary, err := chaos.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	script.Play(script.T(t), script.Params{Brokers: chaos.Clusters{Cluster: cluster}, Proxy: chaos.ForScripts(binary)}, files)
}

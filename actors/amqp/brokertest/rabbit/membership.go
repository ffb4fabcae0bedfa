package rabbit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// membership is what a node of a cluster has beside what every node has; the
// zero value is that of a node by itself.
type membership struct {
	cookie   string        // the secret that the nodes of a cluster share
	tick     time.Duration // after which a silent neighbour is given up, about
	settings string        // lines of its rabbitmq.conf
}

func (m membership) clustered() bool { return m.cookie != "" }

// Name is how the nodes of a cluster call the node.
func (n *Node) Name() string { return n.name() }

// arguments are for the Erlang machine.
func (m membership) arguments() string {
	if !m.clustered() {
		return ""
	}
	return fmt.Sprintf(" -kernel net_ticktime %d", int(m.tick.Seconds()))
}

// prepare puts the cookie where Erlang looks for it. A file that is there has
// been put there before.
func (m membership) prepare(home string) error {
	if !m.clustered() {
		return nil
	}
	err := os.WriteFile(filepath.Join(home, ".erlang.cookie"), []byte(m.cookie), 0o400)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

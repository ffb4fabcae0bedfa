package rabbit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// three is the cluster of these tests: a lone node pauses, so that it can be seen
// from outside that there is a partition.
func three(t *testing.T) *rabbit.Cluster {
	return rabbit.RunCluster(t, rabbit.ClusterOptions{Nodes: 3, Settings: "cluster_partition_handling = pause_minority"})
}

// at binds a queue of its own through one of the nodes, and returns what ends
// with it.
func at(t *testing.T, n *rabbit.Node, queue string) (amqp.Link, amqp.Channel) {
	t.Helper()
	link := dial(t, n)
	c, err := link.Channel()
	must(t, err)
	must(t, c.Declare(queue, amqp.QueueLimits{}))
	must(t, c.Consume(queue, 1))
	must(t, c.Bind(queue, amqp.Binding{Exchange: "amq.topic", Pattern: queue}))
	return link, c
}

// reaches publishes through one node what is consumed at another.
func reaches(t *testing.T, from *rabbit.Node, queue string, c amqp.Channel) {
	t.Helper()
	must(t, publisherOf(t, from).Publish(bounded(t), "amq.topic", queue, amqp.Message{Body: []byte("x")}))
	delivery, err := c.Next(bounded(t).Done())
	must(t, err)
	must(t, c.Acknowledge(delivery.Tag))
}

// A message published at one node arrives at another, and each node tells what
// is its own.
func TestTheNodesOfAClusterAreOneBroker(t *testing.T) {
	c, ctx := three(t), bounded(t)
	_, channel := at(t, c.Node(1), "queue/cluster/one")
	reaches(t, c.Node(2), "queue/cluster/one", channel)

	for k, n := range c.Nodes() {
		s, err := n.Local(ctx)
		must(t, err)
		owns := slices.Equal(s.Queues, []string{"queue/cluster/one"}) && s.Consumers == 1 && s.Channels >= 1 && s.Connections >= 1
		none := len(s.Queues) == 0 && s.Consumers == 0
		if k == 1 && !owns || k != 1 && !none {
			t.Errorf("node %d: %+v", k, s)
		}
		peers, err := n.Peers(ctx)
		must(t, err)
		if len(peers) != 2 {
			t.Errorf("node %d sees %q", k, peers)
		}
	}
	all, err := c.Node(0).Snapshot(ctx)
	must(t, err)
	if !slices.Equal(all.Queues, []string{"queue/cluster/one"}) {
		t.Errorf("the cluster has %+v", all)
	}
	want := "amqp://ada:b%40b@" + strings.Join(c.Addresses(), ",") + "/a%2Fb" // as PULSE_URL has it
	if got := c.UserURL("ada", "b@b", "a/b"); got != want || len(c.Addresses()) != 3 {
		t.Errorf("got %s, want %s", got, want)
	}
	must(t, channel.Close())
	must(t, c.Node(0).Clean(ctx, "queue/cluster/", 1)) // the publisher's channel
}

// A node that is stopped, killed or frozen takes its own clients with it, and no
// others; what it holds is seen again when it is back.
func TestANodeOfAClusterEndsAlone(t *testing.T) {
	c, ctx := three(t), bounded(t)
	_, stays := at(t, c.Node(2), "queue/cluster/stays")
	for _, end := range []func(*rabbit.Node) error{
		func(n *rabbit.Node) error { return n.Stop(ctx) },
		(*rabbit.Node).Kill,
	} {
		link, _ := at(t, c.Node(1), "queue/cluster/goes")
		must(t, end(c.Node(1)))
		lost(t, link)
		reaches(t, c.Node(0), "queue/cluster/stays", stays)
		must(t, c.Node(1).Start(ctx))
	}
	must(t, c.Node(1).Freeze())
	reaches(t, c.Node(0), "queue/cluster/stays", stays)
	if s, err := c.Node(2).Local(ctx); err != nil || !slices.Equal(s.Queues, []string{"queue/cluster/stays"}) {
		t.Errorf("beside a frozen node: %+v, %v", s, err)
	}
	must(t, c.Node(1).Thaw())
	_, again := at(t, c.Node(1), "queue/cluster/again")
	reaches(t, c.Node(0), "queue/cluster/again", again)
}

// A node that only its clients reach gets nothing from the others, which go on, and
// serves again once it has rejoined. What it does meanwhile is the broker's affair:
// RabbitMQ 3 pauses here, with Khepri it goes on alone.
func TestANodeCanBeIsolatedAndRejoins(t *testing.T) {
	c, ctx := three(t), bounded(t)
	_, lone := at(t, c.Node(0), "queue/cluster/lone")
	_, stays := at(t, c.Node(1), "queue/cluster/stays")
	must(t, c.Isolate(ctx, 0))
	if peers, err := c.Node(0).Peers(ctx); err != nil || len(peers) > 0 {
		t.Errorf("alone, it sees %q, %v", peers, err)
	}
	err := publisherOf(t, c.Node(2)).Publish(ctx, "amq.topic", "queue/cluster/lone", amqp.Message{Body: []byte("x")})
	if amqp.KindOf(err) != amqp.Nacked { // with Khepri the queue is there still, and out of reach
		must(t, err)
	}
	reaches(t, c.Node(2), "queue/cluster/stays", stays)
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if d, err := lone.Next(short.Done()); d != nil && err == nil {
		t.Errorf("%q has come across the partition", d.Body)
	}

	must(t, c.Rejoin(ctx, 0))
	from := publisherOf(t, c.Node(2))
	// Again and again: where it notices the partition only now, it takes clients until it pauses.
	eventually(t, "the node serves again", func() bool { return serves(t, c.Node(0), from, "queue/cluster/again") == nil })
}

// serves returns nil where a message of the publisher reaches a queue that is made through the node,
// else what has kept it from that.
func serves(t *testing.T, n *rabbit.Node, from amqp.Publisher, queue string) error {
	ctx, cancel := context.WithTimeout(bounded(t), 2*time.Second)
	defer cancel()
	r, err := amqp.NewRabbitMQ(n.URL(), amqp.RabbitMQOptions{})
	if err != nil {
		return err
	}
	link, err := r.Dial(ctx)
	if err != nil {
		return err
	}
	defer link.Close(time.Second)
	c, err := link.Channel()
	if err != nil {
		return err
	}
	defer c.Close()
	if err := errors.Join(c.Declare(queue, amqp.QueueLimits{}), c.Consume(queue, 1), c.Bind(queue, amqp.Binding{Exchange: "amq.topic", Pattern: queue})); err != nil {
		return err
	}
	if err := from.Publish(ctx, "amq.topic", queue, amqp.Message{Body: []byte("x")}); err != nil {
		return err
	}
	delivery, err := c.Next(ctx.Done())
	if err == nil && delivery == nil {
		err = ctx.Err()
	}
	return err
}

// dials reports whether a client can connect to the node.
func dials(n *rabbit.Node) bool {
	r, err := amqp.NewRabbitMQ(n.URL(), amqp.RabbitMQOptions{})
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	link, err := r.Dial(ctx)
	if err == nil {
		link.Close(time.Second)
	}
	return err == nil
}

// Maintenance mode sends the clients away and lets none in, until it ends.
func TestANodeCanBeDrainedAndRevived(t *testing.T) {
	c, ctx := three(t), bounded(t)
	link, _ := at(t, c.Node(2), "queue/cluster/drained")
	must(t, c.Drain(ctx, 2))
	lost(t, link)
	if dials(c.Node(2)) {
		t.Error("a drained node takes clients")
	}
	must(t, c.Revive(ctx, 2))
	if !dials(c.Node(2)) {
		t.Error("a revived node takes no clients")
	}
}

// A node that the others have forgotten comes back as a new one.
func TestANodeCanBeForgottenAndJoinsAgain(t *testing.T) {
	c, ctx := three(t), bounded(t)
	must(t, c.Forget(ctx, 1))
	if peers, err := c.Node(0).Peers(ctx); err != nil || len(peers) != 1 {
		t.Errorf("two nodes are left, node 0 sees %q, %v", peers, err)
	}
	must(t, c.Drain(ctx, 2))
	whole(t, c) // which is Join and Revive
}

// Whatever a test has done to the cluster, the next one finds it whole.
func TestAClusterIsHealed(t *testing.T) {
	c, ctx := three(t), bounded(t)
	must(t, c.Isolate(ctx, 0))
	must(t, c.Node(1).Kill())
	must(t, c.Node(2).Freeze())
	whole(t, c)
}

// whole heals the cluster, and fails unless every node then serves every other.
func whole(t *testing.T, c *rabbit.Cluster) {
	t.Helper()
	must(t, c.Heal(bounded(t)))
	for k, n := range c.Nodes() {
		queue := fmt.Sprint("queue/cluster/healed", k)
		_, channel := at(t, n, queue)
		reaches(t, c.Node((k+1)%3), queue, channel)
	}
}

// A harm that cannot be done is told, within its bound.
func TestHarmThatCannotBeDoneIsTold(t *testing.T) {
	c, ctx := three(t), bounded(t)
	must(t, c.Node(0).Kill())
	if err := c.Isolate(ctx, 0); !errors.Is(err, rabbit.ErrNotRunning) {
		t.Errorf("a dead node was isolated: %v", err)
	}
	if err := c.Drain(ctx, 0); !errors.Is(err, rabbit.ErrNotRunning) {
		t.Errorf("a dead node was drained: %v", err)
	}
	must(t, c.Node(1).Freeze())
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := c.Drain(short, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a frozen node was drained: %v", err)
	}
}

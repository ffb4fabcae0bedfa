package rabbit_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// Two virtual hosts on one node know nothing of each other: neither the evidence
// nor the faults of one concern the other, or the administrator.
func TestVirtualHostsAreBrokersOfTheirOwn(t *testing.T) {
	n, ctx := rabbit.Run(t), bounded(t)
	must(t, n.AddUser(ctx, "bob", "secret"))
	var hosts [2]*rabbit.VHost
	var links [2]amqp.Link
	var channels [2]amqp.Channel
	for i := range hosts {
		var err error
		hosts[i], err = n.VHost(ctx, t.Name()+string(rune('A'+i)), "bob", "exchange/secret/")
		must(t, err)
		links[i] = dialURL(t, hosts[i].URL("bob", "secret"))
		channels[i] = consuming(t, links[i], "a")
	}
	admin := dialURL(t, hosts[0].AdminURL())

	s, err := hosts[0].Snapshot(ctx)
	must(t, err)
	if !slices.Equal(s.Queues, []string{"queue/bob/exclusive/a"}) || s.Consumers != 1 || s.Channels != 1 || s.Connections != 1 {
		t.Errorf("got %+v", s)
	}
	if err := channels[0].Bind("queue/bob/exclusive/a", amqp.Binding{Exchange: "exchange/secret/x"}); !isCode(err, amqp.AccessRefused) {
		t.Errorf("a secret exchange can be read: %v", err)
	}
	channels[0] = consuming(t, links[0], "b") // the first queue goes in its own time
	must(t, hosts[0].DeleteQueues(ctx))
	ends(t, channels[0], amqp.Cancelled)
	channels[0] = consuming(t, links[0], "c")
	must(t, hosts[0].CloseChannels(ctx))
	ends(t, channels[0], amqp.ChannelLost)
	must(t, hosts[0].CloseConnections(ctx))
	lost(t, links[0])

	must(t, admin.Err())
	if _, err := channels[1].Depth("queue/bob/exclusive/a"); err != nil {
		t.Errorf("the other virtual host was harmed: %v", err)
	}
	for _, h := range hosts {
		must(t, h.Delete(ctx))
	}
	must(t, n.DeleteUser(ctx, "bob"))
}

func consuming(t *testing.T, l amqp.Link, queue string) amqp.Channel {
	t.Helper()
	c, err := l.Channel()
	must(t, err)
	must(t, c.Declare("queue/bob/exclusive/"+queue, amqp.QueueLimits{}))
	must(t, c.Consume("queue/bob/exclusive/"+queue, 1))
	return c
}

func isCode(err error, code int) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Code == code
}

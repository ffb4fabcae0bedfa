package rabbit_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// What a client makes is seen, what it deletes is seen to be gone.
func TestTheBrokerSaysWhatExists(t *testing.T) {
	n, ctx := rabbit.Run(t), bounded(t)
	publisher := publisherOf(t, n)
	must(t, publisher.Declare(ctx, "exchange/evidence", "topic"))
	link := dial(t, n)
	c, err := link.Channel()
	must(t, err)
	must(t, c.Declare("queue/evidence/a", amqp.QueueLimits{}))
	must(t, c.Consume("queue/evidence/a", 2))
	must(t, c.Bind("queue/evidence/a", amqp.Binding{Exchange: "exchange/evidence", Pattern: "#"}))
	for range 5 {
		must(t, publisher.Publish(ctx, "exchange/evidence", "a", amqp.Message{Body: []byte("x")}))
	}

	s, err := n.Snapshot(ctx)
	must(t, err)
	if !slices.Equal(s.Queues, []string{"queue/evidence/a"}) || !slices.Equal(s.Exchanges, []string{"exchange/evidence"}) ||
		s.Consumers != 1 || s.Channels != 2 || s.Connections != 2 || s.Bindings != 1 {
		t.Errorf("got %+v", s)
	}
	queues, err := n.Queues(ctx)
	must(t, err)
	if want := (rabbit.Queue{Name: "queue/evidence/a", VHost: "/", Ready: 3, Unacked: 2, Consumers: 1}); !slices.Equal(queues, []rabbit.Queue{want}) {
		t.Errorf("got %+v", queues)
	}
	connections, err := n.Connections(ctx)
	must(t, err)
	if !slices.ContainsFunc(connections, func(c rabbit.Connection) bool { return c.Name == t.Name() && c.User == "guest" }) {
		t.Errorf("got %+v", connections)
	}

	must(t, c.Close())
	must(t, n.Clean(ctx, "queue/evidence/", 1)) // the publisher's channel
	must(t, publisher.Delete(ctx, "exchange/evidence"))
}

// A queue that stays is an error, within a bounded time, and so is an exchange for what queues drop;
// the error names what is there.
func TestWhatIsNotCleanIsTold(t *testing.T) {
	n := rabbit.Run(t)
	c, err := dial(t, n).Channel()
	must(t, err)
	notClean := func(named string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(bounded(t), 500*time.Millisecond)
		defer cancel()
		err := n.Clean(ctx, "queue/stays/", 1)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), named) {
			t.Errorf("got %v", err)
		}
	}
	must(t, c.Declare("queue/stays/a", amqp.QueueLimits{}))
	notClean("queue/stays/a")
	must(t, n.Clean(bounded(t), "queue/other/", 1))
	letters := c.(amqp.DeadLetters)
	must(t, letters.DeclareDeadLetters("exchange/stays/dropped/x", "queue/other/x"))
	must(t, c.Delete("queue/stays/a"))
	notClean("exchange/stays/dropped/x")
	must(t, letters.DeleteDeadLetters("exchange/stays/dropped/x", "queue/other/x"))
	must(t, n.Clean(bounded(t), "queue/stays/", 1))
}

// An administrator's deeds reach the clients.
func TestAnAdministratorCanDoHarm(t *testing.T) {
	n, ctx := rabbit.Run(t), bounded(t)
	link := dial(t, n)
	c, err := link.Channel()
	must(t, err)
	must(t, c.Declare("queue/harm/a", amqp.QueueLimits{}))
	must(t, c.Consume("queue/harm/a", 1))
	must(t, n.DeleteQueue(ctx, "queue/harm/a"))
	ends(t, c, amqp.Cancelled)
	if err := n.DeleteQueue(ctx, "queue/harm/a"); err == nil {
		t.Error("a missing queue was deleted")
	}

	must(t, c.Declare("queue/harm/b", amqp.QueueLimits{}))
	must(t, n.CloseChannels(ctx))
	eventually(t, "the channel is closed", func() bool { return c.Declare("queue/harm/b", amqp.QueueLimits{}) != nil })
	must(t, n.CloseConnections(ctx))
	lost(t, link)
}

func ends(t *testing.T, c amqp.Channel, want amqp.Kind) {
	t.Helper()
	if _, err := c.Next(bounded(t).Done()); amqp.KindOf(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Users, their rights, and virtual hosts come and go while the node runs.
func TestUsersAndVirtualHosts(t *testing.T) {
	n, ctx := rabbit.Run(t), bounded(t)
	must(t, n.AddVHost(ctx, "a/b"))
	must(t, n.AddUser(ctx, "ada", `old "pass"`))
	must(t, n.SetPermissions(ctx, "ada", "a/b", rabbit.PulseUser("ada")))

	link := dialURL(t, n.UserURL("ada", `old "pass"`, "a/b"))
	c, err := link.Channel()
	must(t, err)
	must(t, c.Declare("queue/ada/exclusive/a", amqp.QueueLimits{}))
	if err := c.Declare("queue/bob/exclusive/a", amqp.QueueLimits{}); amqp.KindOf(err) != amqp.Refused {
		t.Errorf("got %v", err)
	}

	must(t, n.ChangePassword(ctx, "ada", "new"))
	if refused(t, n.UserURL("ada", `old "pass"`, "a/b")) == nil {
		t.Error("the old password still does")
	}
	must(t, n.DeleteVHost(ctx, "a/b"))
	lost(t, link)
	must(t, n.DeleteUser(ctx, "ada"))
	if refused(t, n.UserURL("ada", "new", "/")) == nil {
		t.Error("a deleted user still gets in")
	}
}

func refused(t *testing.T, url string) error {
	t.Helper()
	r, err := amqp.NewRabbitMQ(url, amqp.RabbitMQOptions{})
	must(t, err)
	link, err := r.Dial(bounded(t))
	if err == nil {
		link.Close(time.Second)
	}
	return err
}

// While the broker's memory is used up, publishers wait.
func TestTheMemoryAlarmHoldsPublishersUp(t *testing.T) {
	n, ctx := rabbit.Run(t), bounded(t)
	publisher := publisherOf(t, n)
	must(t, publisher.Declare(ctx, "exchange/alarm", "topic"))
	must(t, n.SetMemoryAlarm(ctx, true))
	var err error
	for err == nil { // what is on its way when the alarm goes off is still taken
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		err = publisher.Publish(short, "exchange/alarm", "a", amqp.Message{})
		cancel()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	must(t, n.SetMemoryAlarm(ctx, false))
	must(t, publisher.Publish(ctx, "exchange/alarm", "a", amqp.Message{}))
	must(t, publisher.Delete(ctx, "exchange/alarm"))
}

func publisherOf(t *testing.T, n *rabbit.Node) amqp.Publisher {
	t.Helper()
	return publisherAt(t, n.URL())
}

func publisherAt(t *testing.T, url string) amqp.Publisher {
	t.Helper()
	r, err := amqp.NewRabbitMQ(url, amqp.RabbitMQOptions{})
	must(t, err)
	p, err := r.Publisher(bounded(t))
	must(t, err)
	t.Cleanup(func() { p.Close() })
	return p
}

package actors_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// meddler is a Dialer whose channels call a hook before they delete a queue, and before they declare
// what dead letters need.
type meddler struct {
	amqp.Dialer
	deleting  func(queue string)
	declaring func(exchange string)
}

type meddledLink struct {
	amqp.Link
	by *meddler
}

type meddledChannel struct {
	amqp.Channel
	by *meddler
}

func (m *meddler) Dial(ctx context.Context) (amqp.Link, error) {
	link, err := m.Dialer.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return &meddledLink{Link: link, by: m}, nil
}

func (l *meddledLink) Channel() (amqp.Channel, error) {
	channel, err := l.Link.Channel()
	if err != nil {
		return nil, err
	}
	return &meddledChannel{Channel: channel, by: l.by}, nil
}

func (c *meddledChannel) Delete(queue string) error {
	c.by.deleting(queue)
	return c.Channel.Delete(queue)
}

func (c *meddledChannel) DeclareDeadLetters(exchange, queue string) error {
	c.by.declaring(exchange)
	return c.Channel.(amqp.DeadLetters).DeclareDeadLetters(exchange, queue)
}

func (c *meddledChannel) DeleteDeadLetters(exchange, queue string) error {
	return c.Channel.(amqp.DeadLetters).DeleteDeadLetters(exchange, queue)
}

// eachMeddled runs a test in a bubble, where streams find out themselves what queues drop, and where
// scouts do.
func eachMeddled(t *testing.T, test func(f *fixture, m *meddler)) {
	t.Helper()
	for name, noScouts := range map[string]bool{"by a stream": true, "by a scout": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				broker := amqp.NewMemory()
				m := &meddler{Dialer: broker, deleting: func(string) {}, declaring: func(string) {}}
				test(dropping(t, broker, func(o *actors.Options) { o.Dialer, o.NoScouts = m, noScouts }), m)
			})
		})
	}
}

// comesBack has a client open streams until one is ready, and leave.
func (f *fixture) comesBack() {
	f.t.Helper()
	for range 10 {
		s := f.connect(task, "#")
		for {
			switch f.next(s).(type) {
			case actors.Ready:
				s.Close()
				return
			case *actors.Error:
			default:
				continue
			}
			break
		}
		time.Sleep(time.Second) // the back-off
	}
	f.t.Fatal("no stream is ready")
}

// settled waits until what has no stream is gone, but for what would stay for a minute or for ever.
func (f *fixture) settled() {
	f.t.Helper()
	time.Sleep(15 * time.Second)
	if queues, exchanges := f.broker.Queues(), f.broker.Exchanges(); len(queues) != 0 || len(exchanges) != 1 {
		f.t.Errorf("left: queues %q, exchanges %q", queues, exchanges)
	}
	f.clean()
}

// Channels that the broker closes in the middle of a trial leave no queue behind, however often it
// does so.
func TestATrialWhoseChannelsAreClosedLeavesNothing(t *testing.T) {
	eachMeddled(t, func(f *fixture, m *meddler) {
		m.deleting = closing(f.broker, 3)
		f.comesBack()
		f.settled()
	})
}

// closing closes all channels before each of the first n deletions of a stream's queue.
func closing(broker *amqp.Memory, n int) func(queue string) {
	return func(queue string) {
		if n > 0 && strings.HasPrefix(queue, amqp.QueuePrefix("tester")) {
			n--
			broker.CloseChannels()
		}
	}
}

// An exchange that is being made when the service ends is not left behind.
func TestAnExchangeThatIsMadeWhileTheServiceEndsGoesWithIt(t *testing.T) {
	eachMeddled(t, func(f *fixture, m *meddler) {
		ended := make(chan error, 1)
		m.declaring = func(exchange string) {
			m.declaring = func(string) {}
			f.declare(exchange) // the port's first call; the next binds the queue
			go func() { ended <- f.System.Close() }()
			time.Sleep(time.Second)
		}
		f.connect(task, "#")
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if exchanges := f.broker.Exchanges(); len(exchanges) != 1 {
			t.Errorf("left: %q", exchanges)
		}
	})
}

// An exchange that was made just before its link was lost, and that nothing is bound to, is deleted on
// the next link.
func TestAnExchangeThatALostLinkHasLeftIsDeleted(t *testing.T) {
	eachMeddled(t, func(f *fixture, m *meddler) {
		m.declaring = func(exchange string) {
			m.declaring = func(string) {}
			f.declare(exchange)
			f.broker.DropLinks()
		}
		f.comesBack()
		f.settled()
	})
}

package actors_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// slowRaises is a broker that does not answer calls that change a prefetch before it may.
type slowRaises struct {
	amqp.Dialer
	goOn        chan struct{}
	asked, most atomic.Int64 // at present, at one time
}

func (b *slowRaises) Dial(ctx context.Context) (amqp.Link, error) {
	link, err := b.Dialer.Dial(ctx)
	return slowLink{link, b}, err
}

type slowLink struct {
	amqp.Link
	broker *slowRaises
}

func (l slowLink) Channel() (amqp.Channel, error) {
	c, err := l.Link.Channel()
	if err != nil {
		return nil, err
	}
	return slowChannel{c, l.broker}, nil
}

type slowChannel struct {
	amqp.Channel
	broker *slowRaises
}

func (c slowChannel) Prefetch(queue string, n int) (bool, error) {
	b := c.broker
	b.most.Store(max(b.most.Load(), b.asked.Add(1)))
	defer b.asked.Add(-1)
	<-b.goOn
	return c.Channel.(amqp.Prefetcher).Prefetch(queue, n)
}

// A burst that goes to all streams has them all ask for a larger window: so many of a link do so at a
// time, and the others get their messages meanwhile. All at once, each call would wait behind those of
// the others, and a busy broker's streams would be ended since it does not answer in time.
func TestABurstToAllRaisesAFewWindowsAtATime(t *testing.T) {
	const streams, atOnce, messages = 30, 3, 40
	b := &slowRaises{}
	bubble(t, func(o *actors.Options) {
		b.Dialer, b.goOn = o.Dialer.(*recorder).next, make(chan struct{}) // of the bubble
		o.Dialer, o.Limits.Declares = b, atOnce
	}, func(f *fixture) {
		all := f.readies(streams)
		var served atomic.Int64 // streams that have all messages
		for _, s := range all {
			go func() {
				for got := 0; got < messages; {
					e, err := s.Next(context.Background())
					if err != nil {
						f.t.Error(err)
						return
					}
					if _, is := e.(*actors.Message); is {
						got++
						s.Done()
					}
				}
				served.Add(1)
			}()
		}
		f.publish("a", messages)
		synctest.Wait()
		if n := b.asked.Load(); n != atOnce {
			f.t.Errorf("%d streams ask for a larger window at a time, not %d", n, atOnce)
		}
		pass(time.Second) // a window of few is acknowledged after a while
		if n := served.Load(); n != streams-atOnce {
			f.t.Errorf("%d streams have all messages, not %d", n, streams-atOnce)
		}
		close(b.goOn)
		pass(time.Minute)
		if n := served.Load(); n != streams {
			f.t.Errorf("%d streams have all messages in the end", n)
		}
		if n := b.most.Load(); n != atOnce {
			f.t.Errorf("%d streams asked at a time, not %d", n, atOnce)
		}
	})
}

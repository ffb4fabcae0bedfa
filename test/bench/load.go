package bench

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Exchange is where the load is published.
const Exchange = "exchange/bench/v1/load"

// Load is one series of messages.
type Load struct {
	Publisher interface {
		Publish(ctx context.Context, exchange, routingKey string, m amqp.Message) error
	}
	Topic    func(i int) string
	Messages int
	Size     int // of a body, in bytes
	Readers  int // of each message

	// Rate publishes so many a second, each stamped with the time it was due;
	// 0 publishes as fast as they are received, Window under way on average.
	Rate   float64
	Window int

	// Publishers is how many publish at once, each waiting for the broker's confirmation; 0: one.
	Publishers int
}

// body is a message that holds the time when it was due.
func body(size int, due time.Time) []byte {
	head, tail := `{"pad":"`, fmt.Sprintf(`","at":%d}`, due.UnixNano())
	return []byte(head + strings.Repeat("x", max(0, size-len(head)-len(tail))) + tail)
}

// loadPatience bounds the wait for a message's readers.
const loadPatience = 30 * time.Second

// Run publishes, waits until everything has been received, and returns the time
// that took.
func (l Load) Run(ctx context.Context, received *atomic.Int64) (time.Duration, error) {
	start, before := time.Now(), received.Load()
	failed := make(chan error, max(1, l.Publishers))
	var next atomic.Int64
	for range cap(failed) {
		go func() { // ends with the last message
			for i := int(next.Add(1) - 1); i < l.Messages; i = int(next.Add(1) - 1) {
				if err := l.publish(ctx, i, start, received, before); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range cap(failed) {
		if err := <-failed; err != nil {
			return 0, err
		}
	}
	err := Await("deliveries", received, before+int64(l.Messages*l.Readers), loadPatience)
	return time.Since(start), err
}

// publish publishes message number i when it is due, or when few enough are under way.
func (l Load) publish(ctx context.Context, i int, start time.Time, received *atomic.Int64, before int64) error {
	due := time.Now()
	if l.Rate > 0 {
		due = start.Add(time.Duration(float64(i) / l.Rate * float64(time.Second)))
		time.Sleep(time.Until(due))
	} else if err := Await("deliveries", received, before+int64((i-l.Window)*l.Readers), loadPatience); err != nil {
		return err
	}
	return l.Publisher.Publish(ctx, Exchange, l.Topic(i), amqp.Message{Body: body(l.Size, due)})
}

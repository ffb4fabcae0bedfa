package amqp_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// One message to every stream of a link, taken and acknowledged: what the
// broker itself costs a delivery.
func BenchmarkMemoryFanOut(b *testing.B) {
	for _, streams := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(streams, " streams"), func(b *testing.B) { fanOut(b, streams) })
	}
}

func fanOut(b *testing.B, streams int) {
	m := amqp.NewMemory()
	defer m.Close()
	p, err := m.Publisher(b.Context())
	if err == nil {
		err = p.Declare(b.Context(), "x", "topic")
	}
	if err != nil {
		b.Fatal(err)
	}
	var readers, taken sync.WaitGroup
	stop := make(chan struct{})
	for i := range streams {
		l, err := m.Dial(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		c, err := l.Channel()
		if err != nil {
			b.Fatal(err)
		}
		queue := fmt.Sprint("q", i)
		c.Declare(queue, amqp.QueueLimits{})
		c.Consume(queue, 50)
		if err := c.Bind(queue, amqp.Binding{Exchange: "x", Pattern: "primary.#"}); err != nil {
			b.Fatal(err)
		}
		readers.Go(func() {
			for {
				d, _ := c.Next(stop)
				if d == nil {
					return
				}
				c.Acknowledge(d.Tag)
				taken.Done()
			}
		})
	}
	body := make([]byte, 256)
	b.ReportAllocs()
	for b.Loop() {
		taken.Add(streams)
		if err := p.Publish(b.Context(), "x", "primary.a.b.c", amqp.Message{Body: body}); err != nil {
			b.Fatal(err)
		}
		taken.Wait()
	}
	b.ReportMetric(float64(streams*b.N)/b.Elapsed().Seconds(), "deliveries/s")
	close(stop)
	readers.Wait()
}

package actors

import (
	"fmt"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// One message that one stream wants, among patterns of the kind that the pages
// of task groups bind: what routing costs, however many others there are.
func BenchmarkRouteToOneStream(b *testing.B) {
	for _, patterns := range []int{1, 1000, 50_000} {
		b.Run(fmt.Sprint(patterns, "patterns"), func(b *testing.B) {
			r := benchRouter(patterns)
			keys := make([]string, 1024) // different ones, so that not all is in the processor's cache
			for i := range keys {
				keys[i] = fmt.Sprintf("primary.task%d.0.worker.group.type.x", i*patterns/len(keys))
			}
			cc := []string{"route.index.project.foo.latest"}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if len(r.match("exchange/task", keys[i%len(keys)], cc)) != 1 {
					b.Fatal("not wanted by one stream")
				}
			}
		})
	}
}

// One message that no stream wants: the price of having the exchange's traffic.
func BenchmarkRouteToNoStream(b *testing.B) {
	r := benchRouter(50_000)
	b.ReportAllocs()
	for b.Loop() {
		if len(r.match("exchange/task", "secondary.task1.0.worker.group.type.x", nil)) != 0 {
			b.Fatal("wanted")
		}
	}
}

func BenchmarkRouteToAThousandStreams(b *testing.B) {
	r := newRouter()
	for range 1000 {
		r.insert(&Stream{}, []amqp.Binding{{Exchange: "exchange/task", Pattern: "primary.#"}})
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(r.match("exchange/task", "primary.task1.0.worker", nil)) != 1000 {
			b.Fatal("not wanted by all")
		}
	}
}

// A stream comes and goes, among 50,000 others.
func BenchmarkRouterInsertAndRemove(b *testing.B) {
	r := benchRouter(50_000)
	s, bindings := &Stream{}, []amqp.Binding{{Exchange: "exchange/task", Pattern: "primary.mine.#"}}
	b.ReportAllocs()
	for b.Loop() {
		r.insert(s, bindings)
		r.remove(s)
	}
}

// benchRouter has a stream for each pattern: half of them end in #, half have a *
// in the middle.
func benchRouter(patterns int) *router {
	r := newRouter()
	for i := range patterns {
		pattern := fmt.Sprintf("primary.task%d.#", i)
		if i%2 == 1 {
			pattern = fmt.Sprintf("primary.task%d.*.worker.#", i)
		}
		r.insert(&Stream{}, []amqp.Binding{{Exchange: "exchange/task", Pattern: pattern}})
	}
	return r
}

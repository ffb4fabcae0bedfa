package actors

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// namedRouter is a router whose streams have names, to ask which of them want a message.
type namedRouter struct {
	*router
	named map[string]*Stream
}

func newNamedRouter() *namedRouter { return &namedRouter{newRouter(), map[string]*Stream{}} }

func (r *namedRouter) add(name string, bindings ...amqp.Binding) {
	r.named[name] = &Stream{id: name}
	r.insert(r.named[name], bindings)
}

func (r *namedRouter) drop(name string) {
	r.remove(r.named[name])
	delete(r.named, name)
}

// wanting returns the names, sorted; a stream that is wanted twice is there twice.
func (r *namedRouter) wanting(exchange, key string, cc ...string) string {
	return namesOf(r.match(exchange, key, cc))
}

func namesOf(streams []*Stream) string {
	var list []string
	for _, s := range streams {
		list = append(list, s.id)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// onX binds patterns to the exchange x.
func onX(patterns ...string) []amqp.Binding {
	var list []amqp.Binding
	for _, p := range patterns {
		list = append(list, amqp.Binding{Exchange: "x", Pattern: p})
	}
	return list
}

// A message comes to whom it would come from a queue of one's own.
func TestARoutedMessageReachesWhoBoundIt(t *testing.T) {
	r := newNamedRouter()
	r.add("all", onX("#")...)
	r.add("a", onX("a.#")...)
	r.add("one", onX("*")...)
	r.add("exact", onX("a.b.c")...)
	r.add("middle", onX("a.*.c", "a.#.c")...)
	r.add("other", amqp.Binding{Exchange: "y", Pattern: "#"})
	r.add("route", onX("route.index.#", "nothing")...)
	for _, c := range []struct{ exchange, key, cc, want string }{
		{"x", "a.b.c", "", "a all exact middle"},
		{"x", "a.c", "", "a all middle"},
		{"x", "a", "", "a all one"},
		{"x", "", "", "all"},
		{"x", "a.", "", "a all"},
		{"x", "*", "", "all one"},
		{"x", "q", "route.index.project.foo", "all one route"},
		{"x", "a.b.c", "a.x.c", "a all exact middle"}, // each once
		{"y", "a.b.c", "", "other"},
		{"z", "a.b.c", "", ""},
	} {
		var cc []string
		if c.cc != "" {
			cc = []string{c.cc}
		}
		if got := r.wanting(c.exchange, c.key, cc...); got != c.want {
			t.Errorf("%s %q %q is wanted by %q, want %q", c.exchange, c.key, cc, got, c.want)
		}
	}
}

// What streams leave behind is nothing: neither a node, nor a stream that the
// last result would keep alive.
func TestTheLastStreamLeavesAnEmptyRouter(t *testing.T) {
	r := newNamedRouter()
	r.add("ada", onX("a.b.c", "a.*", "a.#.b", "#", "", "a", "a", "a.b.d")...)
	r.add("bob", onX("a.b", "a.*", "#.#")...)
	r.insert(r.named["bob"], onX("twice")) // is in already
	if r.patterns != 9 || r.wanting("x", "a.b") != "ada bob" || r.wanting("x", "twice") != "ada bob" {
		t.Errorf("%d patterns, %q", r.patterns, r.wanting("x", "a.b"))
	}
	stranger := &Stream{}
	r.remove(stranger)
	r.drop("ada")
	if got := r.wanting("x", "a.b"); got != "bob" || r.patterns != 3 {
		t.Errorf("wanted by %q, %d patterns", got, r.patterns)
	}
	r.drop("bob")
	if len(r.exchanges)+len(r.streams)+r.patterns > 0 {
		t.Errorf("left: %+v", r.router)
	}
	if left := r.wanted[:cap(r.wanted)]; slices.ContainsFunc(left, func(s *Stream) bool { return s != nil }) {
		t.Errorf("kept alive: %v", left)
	}
}

// The end of an exchange's routing concerns its streams and no others; all of
// them are told of a lost link.
func TestTheRouterKnowsTheStreamsOfAnExchange(t *testing.T) {
	r := newNamedRouter()
	r.add("both", amqp.Binding{Exchange: "y", Pattern: "a.b"}, amqp.Binding{Exchange: "x", Pattern: "#"})
	r.add("x", onX("a.b.c", "a.b.d")...)
	r.add("y", amqp.Binding{Exchange: "y", Pattern: "#"})
	if got := namesOf(r.on("x")); got != "both x" {
		t.Errorf("on x: %q", got)
	}
	if got := namesOf(slices.Collect(r.all())); got != "both x y" {
		t.Errorf("all: %q", got)
	}
}

// Patterns that would cost a backtracking matcher the age of the universe cost
// words times nodes here, which is nothing.
func TestHostilePatternsDoNotStallTheRouter(t *testing.T) {
	r := newNamedRouter()
	r.add("hostile", onX(strings.Repeat("#.a.", 63)+"b")...)
	if got := r.wanting("x", strings.Repeat("a.", 126)+"a"); got != "" {
		t.Errorf("wanted by %q", got)
	}
	if got := r.wanting("x", strings.Repeat("a.", 126)+"b"); got != "hostile" {
		t.Errorf("wanted by %q", got)
	}
}

// beside holds the router to a broker: equal bindings, equal messages, and the
// broker's queues show which of them match. Each queue stands for a stream.
type beside struct {
	*namedRouter
	channel   amqp.Channel
	publisher amqp.Publisher
	prefix    string
	depths    map[string]int
}

func newBeside(t testing.TB, dialer amqp.Dialer, prefix string, exchanges ...string) *beside {
	ctx := t.Context()
	link, err := dialer.Dial(ctx)
	noError(t, err)
	t.Cleanup(func() { link.Close(time.Second) })
	b := &beside{namedRouter: newNamedRouter(), prefix: prefix, depths: map[string]int{}}
	b.channel, err = link.Channel()
	noError(t, err)
	t.Cleanup(func() { b.channel.Close() })
	b.publisher, err = dialer.(amqp.Publishing).Publisher(ctx)
	noError(t, err)
	t.Cleanup(func() { b.publisher.Close() })
	for _, x := range exchanges {
		noError(t, b.publisher.Declare(ctx, x, "topic"))
		t.Cleanup(func() { b.publisher.Delete(context.Background(), x) })
	}
	return b
}

func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *beside) attach(t testing.TB, name string, bindings []amqp.Binding) {
	queue := b.prefix + name
	err := b.channel.Declare(queue, amqp.QueueLimits{})
	for _, binding := range bindings {
		if err == nil {
			err = b.channel.Bind(queue, binding)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	b.depths[name] = 0
	b.add(name, bindings...)
}

func (b *beside) detach(t testing.TB, name string) {
	if err := b.channel.Delete(b.prefix + name); err != nil {
		t.Fatal(err)
	}
	delete(b.depths, name)
	b.drop(name)
}

// agree publishes a message, and fails unless the router wants it for the
// streams whose queues have got it, as often as they have.
func (b *beside) agree(t testing.TB, exchange, key string, cc []string) {
	if err := b.publisher.Publish(context.Background(), exchange, key, amqp.Message{CC: cc, Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name, before := range b.depths {
		depth, err := b.channel.Depth(b.prefix + name)
		if err != nil {
			t.Fatal(err)
		}
		for range depth - before {
			names = append(names, name)
		}
		b.depths[name] = depth
	}
	slices.Sort(names)
	if got, want := b.wanting(exchange, key, cc...), strings.Join(names, " "); got != want {
		t.Fatalf("%s %q %q goes to %q, the broker's goes to %q", exchange, key, cc, got, want)
	}
}

var (
	keyWords     = []string{"a", "b", "c", "", "é", "*", "#"} // in a key, the last two are words
	patternWords = []string{"a", "b", "c", "", "é", "*", "*", "#", "#"}
)

// Whatever is bound, unbound and published in whatever order: the router and
// the broker in this process agree.
func TestTheRouterRoutesAsTheMemoryBroker(t *testing.T) {
	memory := amqp.NewMemory()
	defer memory.Close()
	rounds := 0
	forRandom(t, func(t *testing.T, r *rand.Rand) {
		rounds++
		exchanges := []string{fmt.Sprint("x", rounds), fmt.Sprint("y", rounds)}
		b := newBeside(t, memory, fmt.Sprintf("round%d/", rounds), exchanges...)
		words := func(of []string) string {
			return strings.Join(some(r, 0, 5, func() string { return pick(r, of) }), ".")
		}
		binding := func() amqp.Binding {
			return amqp.Binding{Exchange: pick(r, exchanges), Pattern: words(patternWords)}
		}
		attached := 0
		steps(t, r, map[string]func(){
			"attach": func() {
				attached++
				b.attach(t, fmt.Sprint("s", attached), some(r, 1, 4, binding))
			},
			"detach": func() {
				if len(b.named) > 0 {
					b.detach(t, pick(r, slices.Sorted(maps.Keys(b.named))))
				}
			},
			"publish": func() {
				key := func() string { return words(keyWords) }
				b.agree(t, pick(r, exchanges), key(), some(r, 0, 3, key))
			},
		}, func() {})
		for name := range b.named {
			b.detach(t, name)
		}
	})
}

// RabbitMQ itself agrees too: five hundred random messages, up to twenty streams,
// which come and go.
func TestTheRouterRoutesAsRabbitMQ(t *testing.T) {
	node := rabbit.Run(t)
	dialer, err := amqp.NewRabbitMQ(node.URL(), amqp.RabbitMQOptions{})
	noError(t, err)
	exchanges := []string{"exchange/router/x", "exchange/router/y"}
	b := newBeside(t, dialer, "queue/router/", exchanges...)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	words := func(of []string) string {
		list := make([]string, random.IntN(6))
		for i := range list {
			list[i] = of[random.IntN(len(of))]
		}
		return strings.Join(list, ".")
	}
	for message := range 500 {
		if message%12 == 0 { // one goes, one comes
			if message >= 20*12 {
				b.detach(t, fmt.Sprint("s", message/12-20))
			}
			bindings := make([]amqp.Binding, 1+random.IntN(4))
			for i := range bindings {
				bindings[i] = amqp.Binding{Exchange: exchanges[random.IntN(2)], Pattern: words(patternWords)}
			}
			b.attach(t, fmt.Sprint("s", message/12), bindings)
		}
		var cc []string
		for range random.IntN(3) {
			cc = append(cc, words(keyWords))
		}
		b.agree(t, exchanges[random.IntN(2)], words(keyWords), cc)
	}
}

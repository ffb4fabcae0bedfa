package actors_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/amqptest"
)

var errNobodyThere = errors.New("connection refused")

// times repeats an outcome.
func times(n int, o amqptest.Outcome) (list []amqptest.Outcome) {
	for range n {
		list = append(list, o)
	}
	return list
}

// dials runs a test with a System whose dials have these outcomes.
func dials(t *testing.T, test func(f *fixture, broker *amqp.Memory), outcomes func(broker *amqp.Memory) []amqptest.Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory()
		f := openOn(t, broker, func(o *actors.Options) {
			r := o.Dialer.(*recorder)
			r.next = &amqptest.Dialer{Outcomes: outcomes(broker)}
		})
		test(f, broker)
	})
}

// The process is up while the broker is down: a client hears at once that it
// may come back, and nothing has to be restarted.
func TestABrokerThatIsDownAtTheStartAndThenUp(t *testing.T) {
	dials(t, func(f *fixture, _ *amqp.Memory) {
		synctest.Wait()
		if h := f.Health(); h.BrokerUp || h.Links != 0 {
			t.Fatalf("%+v", h)
		}
		start := time.Now()
		err := f.ends(f.connect(task, "#"), actors.BrokerUnavailable)
		if took := time.Since(start); took != 0 {
			t.Fatalf("told after %s, want at once", took)
		}
		if !err.Code.Retryable() {
			t.Fatal("it may work later, but is not retryable")
		}
		pass(time.Minute)
		if h := f.Health(); !h.BrokerUp || h.Links != 1 {
			t.Fatalf("%+v", h)
		}
		f.works()
	}, func(b *amqp.Memory) []amqptest.Outcome {
		return append(times(5, amqptest.Fails(errNobodyThere)), amqptest.Through(b))
	})
}

// A broker that takes its time to accept is waited for, but not for long.
func TestAStreamWaitsForTheFirstLinkTwoSecondsAtMost(t *testing.T) {
	dials(t, func(f *fixture, _ *amqp.Memory) {
		start := time.Now()
		f.ends(f.connect(task, "#"), actors.BrokerUnavailable)
		if took := time.Since(start); took != 2*time.Second {
			t.Fatalf("told after %s", took)
		}
	}, func(*amqp.Memory) []amqptest.Outcome { return []amqptest.Outcome{amqptest.Hangs()} })
}

func TestAStreamThatWaitsForTheFirstLinkGetsIt(t *testing.T) {
	dials(t, func(f *fixture, _ *amqp.Memory) {
		start := time.Now()
		f.ready(task, "#")
		if took := time.Since(start); took != time.Second {
			t.Fatalf("ready after %s", took)
		}
	}, func(b *amqp.Memory) []amqptest.Outcome {
		return []amqptest.Outcome{func(ctx context.Context) (amqp.Link, error) {
			time.Sleep(time.Second)
			return b.Dial(ctx)
		}}
	})
}

// Full jitter below a ceiling that doubles up to four seconds: many proxies do
// not come back in step, and none is away for long.
func TestRedialsBackOffOneAtATime(t *testing.T) {
	dials(t, func(f *fixture, _ *amqp.Memory) {
		pass(10 * time.Minute)
		// On average two seconds lie between two tries.
		if n := f.record.count("dial"); n < 100 || n > 1000 {
			t.Fatalf("%d dials in ten minutes", n)
		}
		if n := f.record.atMost("dial"); n != 1 {
			t.Fatalf("%d dials at a time", n)
		}
		s := f.Stats()
		if s.Dials != int64(f.record.count("dial")) || s.DialsFailed < s.Dials-1 {
			t.Fatalf("counted %d dials, %d failed", s.Dials, s.DialsFailed)
		}
	}, func(*amqp.Memory) []amqptest.Outcome { return []amqptest.Outcome{amqptest.Fails(errNobodyThere)} })
}

// A crowd of connects while the broker is away makes no crowd of dials.
func TestRefusedStreamsDoNotDial(t *testing.T) {
	dials(t, func(f *fixture, _ *amqp.Memory) {
		synctest.Wait()
		for range 200 {
			f.ends(f.connect(task, "#"), actors.BrokerUnavailable)
		}
		if n := f.record.count("dial"); n > 2 {
			t.Fatalf("%d dials", n)
		}
	}, func(*amqp.Memory) []amqptest.Outcome { return []amqptest.Outcome{amqptest.Fails(errNobodyThere)} })
}

// The same where links are up but full, and the broker accepts no further one.
func TestAFurtherLinkBacksOffToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory()
		f := openOn(t, broker, func(o *actors.Options) {
			o.Limits.ChannelsPerLink = 1
			o.Dialer.(*recorder).next = &amqptest.Dialer{Outcomes: []amqptest.Outcome{
				amqptest.Through(broker), amqptest.Fails(errNobodyThere),
			}}
		})
		first := f.ready(task, "#")
		for range 200 {
			f.ends(f.connect(task, "#"), actors.BrokerUnavailable)
		}
		if n := f.record.count("dial"); n > 3 {
			t.Fatalf("%d dials", n)
		}
		f.publish("a", 1)
		f.messages(first, 1)
		first.Close()
		f.clean()
		f.works() // on the first link's channel
	})
}

// A broker of an embedding program may be wrong in any way: each is a failed try.
func TestADialerThatIsWrongIsAFailedTry(t *testing.T) {
	returns := func(link amqp.Link) func(*amqp.Memory) amqptest.Outcome {
		return func(*amqp.Memory) amqptest.Outcome { return amqptest.Gives(link) }
	}
	for name, outcome := range map[string]func(*amqp.Memory) amqptest.Outcome{
		"it panics": func(*amqp.Memory) amqptest.Outcome {
			return func(context.Context) (amqp.Link, error) { panic("no dialer") }
		},
		"neither link nor error":     returns(nil),
		"a nil pointer and no error": returns((*strangeLink)(nil)),
		"Lost and Close panic":       returns(&strangeLink{lost: func() <-chan struct{} { panic("lost") }}),
		"Lost is nil, the link is closed": func(b *amqp.Memory) amqptest.Outcome {
			return func(ctx context.Context) (amqp.Link, error) {
				link, err := b.Dial(ctx)
				return &strangeLink{Link: link, lost: func() <-chan struct{} { return nil }}, err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			unrecorded(t, func(f *fixture, _ *amqp.Memory) {
				f.ends(f.connect(task, "#"), actors.BrokerUnavailable)
				pass(10 * time.Second)
				f.works()
			}, func(b *amqp.Memory) []amqptest.Outcome {
				return append(times(2, outcome(b)), amqptest.Through(b))
			})
		})
	}
}

// unrecorded is dials with the links as they are.
func unrecorded(t *testing.T, test func(f *fixture, broker *amqp.Memory), outcomes func(broker *amqp.Memory) []amqptest.Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory()
		test(openOn(t, broker, func(o *actors.Options) { o.Dialer = &amqptest.Dialer{Outcomes: outcomes(broker)} }), broker)
	})
}

// strangeLink is a link whose Lost is another.
type strangeLink struct {
	amqp.Link
	lost func() <-chan struct{}
}

func (l *strangeLink) Lost() <-chan struct{} { return l.lost() }

// oddLink cannot be a key of a map, and panics where it can.
type oddLink struct {
	amqp.Link
	_ func() // what cannot be compared
}

func (oddLink) Err() error      { panic("err") }
func (oddLink) Capacity() int   { panic("capacity") }
func (oddLink) Address() string { panic("address") }

// A link that cannot be compared, and one that panics when it is asked, carry streams; that they
// end is noticed.
func TestALinkThatCannotBeComparedCarriesStreams(t *testing.T) {
	unrecorded(t, func(f *fixture, b *amqp.Memory) {
		f.works()
		s := f.ready(task, "#")
		b.DropLinks()
		f.ends(s, actors.BrokerLost)
		pass(10 * time.Second)
		f.works()
	}, func(b *amqp.Memory) []amqptest.Outcome {
		return []amqptest.Outcome{func(ctx context.Context) (amqp.Link, error) {
			link, err := b.Dial(ctx)
			return oddLink{Link: link}, err
		}}
	})
}

// A link that is accepted and lost at once must not end in a storm of dials.
func TestALinkThatIsLostAtOnceIsRedialedWithPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory()
		f := openOn(t, broker, func(o *actors.Options) {
			o.Dialer.(*recorder).next = &amqptest.Dialer{Outcomes: append(times(50, func(ctx context.Context) (amqp.Link, error) {
				link, err := broker.Dial(ctx)
				broker.DropLinks()
				return link, err
			}), amqptest.Through(broker))}
		})
		pass(time.Second)
		if n := f.record.count("dial"); n > 30 {
			t.Fatalf("%d dials in a second", n)
		}
		pass(10 * time.Minute)
		f.works()
	})
}

// A System that is closed while it dials waits for the dial, which gives up.
func TestCloseEndsADialThatHangs(t *testing.T) {
	dials(t, func(f *fixture, _ *amqp.Memory) {
		synctest.Wait()
		start := time.Now()
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 0 {
			t.Fatalf("closed after %s", took)
		}
	}, func(*amqp.Memory) []amqptest.Outcome { return []amqptest.Outcome{amqptest.Hangs()} })
}

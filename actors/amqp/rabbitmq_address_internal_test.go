package amqp

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// names of a resolver: of a name without records it does not know.
type records map[string][]string

func (n records) lookup(ctx context.Context, _, name string) (ips []netip.Addr, err error) {
	if name == "hangs" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for _, ip := range n[name] {
		ips = append(ips, netip.MustParseAddr(ip))
	}
	if ips == nil {
		err = errors.New("no such host")
	}
	return ips, err
}

// Operators see names where these name a node, and IP addresses where a name has several. A name
// that does not resolve holds up no other and is left to its own dial.
func TestANameStandsForItsAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lookup(records{
			"one": {"10.0.0.1"}, "both": {"::1", "127.0.0.1"}, "many": {"10.0.0.2", "10.0.0.1", "::ffff:10.0.0.3", "fe80::1"},
		}.lookup)
		begin := time.Now()
		got := l.endpoints(t.Context(), []host{{"one", "1"}, {"both", "1"}, {"many", "1"}, {"unknown", "1"}, {"hangs", "1"}, {"::2", "1"}})
		want := []endpoint{
			{"one:1", "10.0.0.1:1", "one", false},
			{"both:1", "[::1]:1", "both", false}, {"both:1", "127.0.0.1:1", "both", true},
			{"10.0.0.2:1", "10.0.0.2:1", "many", false}, {"10.0.0.3:1", "10.0.0.3:1", "many", false}, {"[fe80::1]:1", "[fe80::1]:1", "many", true},
			{"unknown:1", "unknown:1", "unknown", false}, {"hangs:1", "hangs:1", "hangs", false}, {"[::2]:1", "[::2]:1", "::2", false},
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		if waited := time.Since(begin); waited != resolvePatience {
			t.Errorf("it took %s", waited)
		}
	})
}

// Addresses that failed are tried last, longer after each failure, until they answer.
func TestAnAddressThatFailedIsTriedLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f failures
		a, b, c := endpoint{hostPort: "a"}, endpoint{hostPort: "b"}, endpoint{hostPort: "c", spare: true}
		last := func(want endpoint) {
			t.Helper()
			for range 20 {
				if got := f.order([]endpoint{a, b, c}, time.Now()); got[2] != want {
					t.Fatalf("the order is %v, want %v last", got, want)
				}
			}
		}
		last(c)
		fail := func() { f.note(attempt{endpoint: a, since: time.Now(), err: errors.New("refused")}, time.Second) }
		for _, rest := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			fail()
			time.Sleep(rest*time.Second - time.Nanosecond)
			last(a)
			time.Sleep(time.Nanosecond)
			last(c)
		}
		fail()
		f.forget("a")
		last(c)
		firsts := map[endpoint]bool{}
		for range 100 {
			firsts[f.order([]endpoint{a, b, c}, time.Now())[0]] = true
		}
		if len(firsts) != 2 {
			t.Errorf("the first ones are always %v", firsts)
		}
	})
}

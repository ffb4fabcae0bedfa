package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// from asks for a stream of an address, and returns the code of the refusal.
func (f *fixture) from(address string) (*actors.Stream, actors.Code) {
	r := request(task, "#")
	r.Address = address
	s, err := f.Connect(f.t.Context(), r)
	if err == nil {
		f.t.Cleanup(s.Close)
	}
	return s, actors.CodeOf(err)
}

func (f *fixture) admitted(address string) *actors.Stream {
	f.t.Helper()
	s, code := f.from(address)
	if code != "" {
		f.t.Fatalf("%q was refused with %s", address, code)
	}
	return s
}

func (f *fixture) refused(address string, code actors.Code) {
	f.t.Helper()
	if _, have := f.from(address); have != code {
		f.t.Fatalf("%q gets %q, want %s", address, have, code)
	}
}

func TestStreamsUpToTheLimitAndNoFurther(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.Streams = 3 }, func(f *fixture) {
		first := f.admitted("")
		f.admitted("1.2.3.4")
		f.admitted("1.2.3.4")
		f.refused("5.6.7.8", actors.AtCapacity)
		if code := actors.CodeOf(f.Admissible(f.t.Context(), "")); code != actors.AtCapacity {
			f.t.Fatalf("Admissible says %q", code)
		}
		first.Close()
		synctest.Wait()
		if err := f.Admissible(f.t.Context(), ""); err != nil {
			f.t.Fatalf("Admissible says %v", err)
		}
		f.admitted("5.6.7.8") // Admissible took no place
		f.refused("", actors.AtCapacity)
		s := f.Stats()
		if s.Opened != 4 || s.Refused[actors.AtCapacity] != 3 {
			f.t.Fatalf("counted %d opened, refused %v", s.Opened, s.Refused)
		}
	})
}

func TestStreamsOfAnAddressUpToItsLimit(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.StreamsPerAddress = 2 }, func(f *fixture) {
		first := f.admitted("1.2.3.4")
		f.admitted("1.2.3.4")
		f.refused("1.2.3.4", actors.TooManyStreams)
		f.admitted("5.6.7.8") // another's limit is its own
		for range 5 {
			f.admitted("") // unknown addresses have none
		}
		first.Close()
		synctest.Wait()
		f.admitted("1.2.3.4")
		f.refused("1.2.3.4", actors.TooManyStreams)
	})
}

// A stream that ends by itself frees its place, as one does that is closed by its reader.
func TestAnEndedStreamGivesItsPlaceBack(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.StreamsPerAddress, o.Limits.Streams = 1, 1 }, func(f *fixture) {
		for range 5 {
			f.awaitReady(f.admitted("1.2.3.4"))
			f.refused("1.2.3.4", actors.AtCapacity)
			f.deleteQueues(nil)
			f.clean()
		}
		for range 3 {
			s := f.admitted("1.2.3.4")
			f.crash(actors.RoleConnection, s.ID())
			f.clean()
		}
	})
}

func TestConnectsOfAnAddressPerSecond(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.ConnectsPerSecond = 10 }, func(f *fixture) {
		for range 10 {
			f.admitted("1.2.3.4").Close()
		}
		f.refused("1.2.3.4", actors.TooManyConnects)
		f.admitted("5.6.7.8")
		pass(500 * time.Millisecond)
		for range 5 {
			f.admitted("1.2.3.4").Close()
		}
		f.refused("1.2.3.4", actors.TooManyConnects)
	})
}

// A request that will be refused for its bindings is a connect too, or an
// address could ask for ever.
func TestAdmissibleCountsAsAConnect(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.ConnectsPerSecond = 3 }, func(f *fixture) {
		for range 3 {
			if err := f.Admissible(f.t.Context(), "1.2.3.4"); err != nil {
				f.t.Fatal(err)
			}
		}
		if code := actors.CodeOf(f.Admissible(f.t.Context(), "1.2.3.4")); code != actors.TooManyConnects {
			f.t.Fatalf("Admissible says %q", code)
		}
		f.refused("1.2.3.4", actors.TooManyConnects)
	})
}

// Libraries that do not stop when they are told to ask once a second, for ever: that counts as
// connecting does, and takes no place.
func TestReconnectsCountAsConnects(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.ConnectsPerSecond, o.Limits.StreamsPerAddress = 3, 1 }, func(f *fixture) {
		f.admitted("1.2.3.4")
		for range 2 {
			if err := f.Reconnect("1.2.3.4"); err != nil {
				f.t.Fatal(err)
			}
		}
		if code := actors.CodeOf(f.Reconnect("1.2.3.4")); code != actors.TooManyConnects {
			f.t.Fatalf("Reconnect says %q", code)
		}
		f.refused("1.2.3.4", actors.TooManyConnects)
		if err := f.Reconnect("5.6.7.8"); err != nil {
			f.t.Fatal(err)
		}
		if err := f.Reconnect(""); err != nil {
			f.t.Fatal(err)
		}
	})
}

// A client that comes back while the service drains, or after that, is told to stop all the same.
func TestReconnectsAreNoConcernOfADrain(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.ConnectsPerSecond = 3 }, func(f *fixture) {
		if err := f.Drain(f.t.Context(), 0); err != nil {
			f.t.Fatal(err)
		}
		if err := f.Reconnect("1.2.3.4"); err != nil {
			f.t.Fatal(err)
		}
		f.Close()
		if err := f.Reconnect("1.2.3.4"); err != nil {
			f.t.Fatal(err)
		}
	})
}

// A thousand connects of one address in a second: so many are served, and the
// refused ones cost the broker nothing.
func TestRefusedStreamsNeverReachTheBroker(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.StreamsPerAddress = 5 }, func(f *fixture) {
		refused := 0
		for range 1000 {
			if _, code := f.from("1.2.3.4"); code != "" {
				refused++
			}
		}
		synctest.Wait()
		if refused != 995 || f.record.count("channel") > 5 {
			f.t.Fatalf("%d refused, %d channels", refused, f.record.count("channel"))
		}
	})
}

// Bad requests reach no actor.
func TestABadRequestIsRefusedWithoutAStream(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.AllowExchanges = []string{"exchange/tc/*"} }, func(f *fixture) {
		for _, c := range []struct {
			exchange string
			code     actors.Code
		}{{"", actors.InvalidBindings}, {"exchange/other", actors.ExchangeForbidden}} {
			if _, err := f.Connect(f.t.Context(), request(c.exchange, "#")); actors.CodeOf(err) != c.code {
				f.t.Fatalf("%q gets %v", c.exchange, err)
			}
		}
		f.works()
		if n := f.Stats().Opened; n != 1 {
			f.t.Fatalf("%d streams were opened", n)
		}
	})
}

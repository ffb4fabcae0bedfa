package inspector

import (
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/browser"
)

// A wrong exchange name explains itself, and asks for no second try.
func TestAWrongExchangeExplainsItself(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		s := serve(t, actors.Options{})
		b := openIn(in, t, s.proxy.URL+link("exchange/taskcluster-queue/v1/task-complete", "#"))
		b.AwaitText("#notice", "BindingRefused")
		b.AwaitText("#notice", "task-complete")
		b.AwaitText("#notice", "does not exist")
		b.AwaitText("#notice", "spelling")
		b.AwaitText("#waiting-text", "did not start")
	})
}

// Every way a stream ends is told with its code and what to do next, and one
// button goes on from there.
func TestEndsAreExplainedAndReconnectWorks(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		s := serve(t, actors.Options{Chaos: true, IgnoreDrops: true}) // the first queue of the broker is the stream's
		b := openIn(in, t, s.proxy.URL+link(completed, "#"))
		for _, end := range []struct {
			code string
			harm func()
		}{
			{"QueueDeleted", func() { s.broker.DeleteQueue(s.broker.Queues()[0]) }},
			{"BrokerLost", s.broker.CloseChannels},
			{"InternalError", func() { s.proxy.System.Crash(actors.RoleWorker, s.stream()) }},
			{"ServerShutdown", func() { s.proxy.System.End(actors.ByID(s.stream()), nil) }},
		} {
			b.AwaitState("live")
			end.harm()
			b.AwaitText("#notice", end.code)
			b.AwaitText("#notice", "What to do")
			b.AwaitText("#waiting-text", "has ended")
			if !strings.Contains(strings.Join(b.texts("#notice button"), " "), "Reconnect") {
				t.Errorf("%s: no way to go on", end.code)
			}
			b.Click("#notice button.primary")
		}
		b.AwaitState("live")
		s.publish(completed, "after", `{}`)
		b.Await(`document.querySelector('.body .row:not([hidden]) .key-text')?.textContent === 'after'`)
	})
}

// One code stands for a proxy that goes away and for an operator who ends one stream: what the page
// says of it is true of both, and the stream's own reason tells which it was.
func TestAnOperatorsEndIsNotToldAsAShutdown(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.AwaitState("live")
	if _, err := s.proxy.System.End(actors.ByID(s.stream()), nil); err != nil {
		t.Fatal(err)
	}
	b.AwaitText("#notice .told", "An operator has ended this stream")
	ended := b.text("#notice h2")
	if strings.Contains(ended, "shutting down") {
		t.Errorf("the title says %q", ended)
	}
	b.Click("#notice button.primary")
	b.AwaitState("live")
	if err := s.proxy.Drain(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	b.AwaitText("#notice .told", "The service is shutting down")
	if drained := b.text("#notice h2"); drained != ended {
		t.Errorf("the title says %q, and %q of an operator's end", drained, ended)
	}
}

// A network that breaks without a word is explained, too.
func TestABrokenNetworkIsExplained(t *testing.T) {
	s := serve(t, actors.Options{})
	c := lay(t, s)
	b := open(t, c.url()+link(completed, "#"))
	b.AwaitState("live")
	c.remove()
	b.AwaitText("#notice", "What to do")
	if n := s.connects.Load(); n != 1 {
		t.Errorf("%d connects, want the first alone: the user decides", n)
	}
}

func TestACutConnectionIsToldFromADeadServer(t *testing.T) {
	s := serve(t, actors.Options{})
	c := lay(t, s)
	b := open(t, c.url()+link(completed, "#"))
	b.AwaitState("live")
	c.cut()
	b.AwaitText("#notice", "The connection broke")
	b.Click("#notice button.primary")
	b.AwaitState("live")
}

// stream returns the ID of the one stream that is open, once the one before it is
// out of the tree: its page knew of the end first.
func (s *site) stream() string {
	s.t.Helper()
	deadline := time.Now().Add(browser.Patience)
	for {
		streams := s.proxy.System.Snapshot().Streams
		if len(streams) == 1 {
			return streams[0].ID
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d streams", len(streams))
		}
		time.Sleep(time.Millisecond)
	}
}

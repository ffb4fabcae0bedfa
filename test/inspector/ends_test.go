package inspector

import (
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// A wrong exchange name explains itself, and asks for no second try.
func TestAWrongExchangeExplainsItself(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link("exchange/taskcluster-queue/v1/task-complete", "#"))
	b.awaitText("#notice", "BindingRefused")
	b.awaitText("#notice", "task-complete")
	b.awaitText("#notice", "does not exist")
	b.awaitText("#notice", "spelling")
}

// Every way a stream ends is told with its code and what to do next, and one
// button goes on from there.
func TestEndsAreExplainedAndReconnectWorks(t *testing.T) {
	s := serve(t, actors.Options{Chaos: true})
	b := open(t, s.proxy.URL+link(completed, "#"))
	for _, end := range []struct {
		code string
		harm func()
	}{
		{"QueueDeleted", func() { s.broker.DeleteQueue(s.broker.Queues()[0]) }},
		{"BrokerLost", s.broker.CloseChannels},
		{"InternalError", func() { s.proxy.System.Crash(actors.RoleWorker, s.stream()) }},
		{"ServerShutdown", func() { s.proxy.System.EndStream(s.stream()) }},
	} {
		b.awaitState("live")
		end.harm()
		b.awaitText("#notice", end.code)
		b.awaitText("#notice", "What to do")
		if !strings.Contains(strings.Join(b.texts("#notice button"), " "), "Reconnect") {
			t.Errorf("%s: no way to go on", end.code)
		}
		b.click("#notice button.primary")
	}
	b.awaitState("live")
	s.publish(completed, "after", `{}`)
	b.await(`document.querySelector('.body .row:not([hidden]) .key-text')?.textContent === 'after'`)
}

// A network that breaks without a word is explained, too.
func TestABrokenNetworkIsExplained(t *testing.T) {
	s := serve(t, actors.Options{})
	c := lay(t, s)
	b := open(t, c.url()+link(completed, "#"))
	b.awaitState("live")
	c.remove()
	b.awaitText("#notice", "What to do")
	if n := s.connects.Load(); n != 1 {
		t.Errorf("%d connects, want the first alone: the user decides", n)
	}
}

func TestACutConnectionIsToldFromADeadServer(t *testing.T) {
	s := serve(t, actors.Options{})
	c := lay(t, s)
	b := open(t, c.url()+link(completed, "#"))
	b.awaitState("live")
	c.cut()
	b.awaitText("#notice", "The connection broke")
	b.click("#notice button.primary")
	b.awaitState("live")
}

// stream gives the ID of the one stream that is open, once the one before it is
// out of the tree: its page knew of the end first.
func (s *site) stream() string {
	s.t.Helper()
	deadline := time.Now().Add(patience)
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

package inspector

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/taskcluster/events-proxy/actors"
)

// A newcomer needs one click to see messages.
func TestOneClickOnAnExampleShowsMessages(t *testing.T) {
	s := serve(t, actors.Options{})
	s.declare("exchange/taskcluster-queue/v1/task-pending", "exchange/taskcluster-queue/v1/task-running", "exchange/taskcluster-queue/v1/task-exception")
	b := open(t, s.proxy.URL+"/")
	b.awaitText("#welcome", "one click")
	b.click("#examples button")
	b.awaitState("live")
	s.publish(completed, "primary.a", `{}`)
	b.awaitRows("primary.a")
}

// What the old tool is used for: name an exchange and a pattern, start, stop.
func TestABindingIsAddedStartedAndStopped(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+"/")
	b.fill("#exchange", completed)
	b.fill("#pattern", "primary.*")
	b.click("#add")
	b.awaitText("#binding-list", "primary.*")
	b.click("#start")
	b.awaitState("live")
	s.publish(completed, "primary.a", `{}`)
	s.publish(completed, "secondary.a", `{}`)
	s.publish(completed, "primary.b", `{}`)
	b.awaitRows("primary.b", "primary.a")

	b.click("#stop")
	b.awaitState("stopped")
	if err := s.broker.Await(t.Context(), func() bool { return len(s.broker.Queues()) == 0 }); err != nil {
		t.Fatalf("the stream's queue is still there: %v", s.broker.Queues())
	}
	b.awaitRows("primary.b", "primary.a") // what has come stays to be read
}

// Bindings may change while messages flow: the stream goes on with the new ones.
func TestBindingsChangeUnderAnOpenStream(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.awaitState("live")
	b.fill("#exchange", failed)
	b.enter()
	b.await(`document.querySelectorAll('#binding-list li').length === 2`)
	b.awaitState("live")
	s.publish(failed, "from.failed", `{}`)
	b.awaitRows("from.failed")

	b.click(`#binding-list li:nth-child(2) .remove`)
	b.await(`document.querySelectorAll('#binding-list li').length === 1`)
	b.awaitState("live")
	s.publish(failed, "unseen", `{}`)
	s.publish(completed, "from.completed", `{}`)
	b.awaitRows("from.completed", "from.failed")

	b.click("#clear-bindings")
	b.awaitState("stopped")
	if got := b.text("#binding-count"); got != "0" {
		t.Errorf("%s bindings are left", got)
	}
}

// What no broker would take is refused while it is typed, not after.
func TestABadBindingIsExplainedBesideTheForm(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+stoppedLink(completed, "#"))
	b.click("#add")
	b.awaitText("#binding-wrong", "Name an exchange")
	b.fill("#exchange", completed)
	b.enter()
	b.awaitText("#binding-wrong", "in the list already")
	b.do(setValue("#exchange", "exchange/"+strings.Repeat("ä", 124)))
	b.click("#add")
	b.awaitText("#binding-wrong", "257 bytes")
	if n := value[int](b, `document.querySelectorAll('#binding-list li').length`); n != 1 {
		t.Errorf("%d bindings, want the first alone", n)
	}
}

// Nobody knows exchanges by heart: words of a name or of its meaning find it.
func TestExchangesAreSuggested(t *testing.T) {
	s := serve(t, actors.Options{})
	s.declare("exchange/our-own/thing")
	b := open(t, s.proxy.URL+"/")
	b.fill("#exchange", "ran and failed")
	b.await(`document.querySelectorAll('#exchange-list [role=option]').length === 1`)
	b.press(kb.ArrowDown)
	b.enter()
	if got := value[string](b, `document.getElementById('exchange').value`); got != failed {
		t.Fatalf("took %q", got)
	}
	b.awaitText("#exchange-about", "ran and failed")

	b.fill("#exchange", "exchange/our-own/thing")
	b.enter()
	b.click("#start")
	b.awaitState("live")
	s.publish("exchange/our-own/thing", "k", `{}`)
	b.awaitRows("k")
	b.fill("#exchange", "our-own")
	b.awaitText("#exchange-list", "seen")
	b.press(kb.Escape)
	b.await(`document.getElementById('exchange-list').hidden`)
}

// Each binding says how much it has brought, routes included.
func TestBindingsCountWhatTheyBring(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "primary.#", completed, "route.index.*"))
	b.awaitState("live")
	s.publish(completed, "primary.a", `{}`)
	s.publish(completed, "primary.b", `{}`, "route.index.x")
	s.publish(completed, "other", `{}`, "route.index.y")
	b.awaitReceived(3)
	b.await(`[...document.querySelectorAll('.brought')].map((e) => e.textContent).join() === '2,2'`)
}

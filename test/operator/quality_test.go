package operator

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// No barrier for those who use a screen reader, a keyboard, or little colour.
func TestTheMainStatesHaveNoAccessibilityViolations(t *testing.T) {
	for _, look := range []string{"light", "dark"} {
		s := serve(t, true, actors.Options{})
		b := open(s)
		for range 3 { // Auto, Light, Dark
			if value[string](b, `document.documentElement.dataset.theme ?? ''`) == look {
				break
			}
			b.click("#theme")
		}
		gone, c := s.connect("gone.#"), s.connect("primary.#")
		b.awaitText(row(gone), "ready")
		b.click(`.actor[data-role="connections"] .fold-button`)
		b.click(`.actor[data-role="connection"] .fold-button`)
		gone.cancel()
		b.awaitText("#ends", "ClientGone")
		b.inspect("streams-" + look)
		b.click(row(c) + " .chaos")
		b.awaitText("#confirm", "goroutine")
		b.inspect("crash-" + look)
		b.click("#confirm .cancel")
		b.click(`.actor[data-role="broker"] .chaos`)
		b.click(`#confirm [data-crash="broker"]`)
		b.awaitText(`.actor[data-role="broker"]`, "1 restart")
		b.inspect("healed-" + look)
		s.broker.Stop()
		b.awaitText("#no-links", "No link:")
		s.away()
		b.awaitState("lost")
		b.inspect("lost-" + look)
	}
}

// On a phone only the tables scroll sideways, in their cards.
func TestThePageFitsAPhone(t *testing.T) {
	s := serve(t, true, actors.Options{})
	b := open(s)
	b.do(chromedp.EmulateViewport(390, 844))
	c := s.connect("primary.a.very.long.routing.key.that.goes.on.and.on.and.on.#")
	b.awaitText(row(c), "ready")
	if wide := value[int](b, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %d pixels wide", wide)
	}
	b.inspect("phone")
}

// With thousands of streams the page says that it shows some of them, and
// keeps few elements: that is what keeps it smooth.
func TestManyStreamsLeaveThePageSmall(t *testing.T) {
	const streams = 2_000
	s := serve(t, false, actors.Options{ShareQueues: true})
	for i := range streams {
		request := actors.Request{
			Bindings: []amqp.Binding{{Exchange: exchange, Pattern: "#"}},
			Address:  fmt.Sprintf("10.0.%d.%d", i/250, i%250),
		}
		if _, err := s.proxy.System.Connect(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	b := open(s)
	b.awaitText("#streams-count", "2,000")
	b.awaitText("#streams-shown", "the 500 that lag most")
	b.click(`.actor[data-role="connections"] .fold-button`)
	b.awaitText(`.actor[data-role="connections"] .number-of`, "500 of 2,000")
	if rows := value[int](b, `document.querySelectorAll('#streams tr, .actor').length`); rows > 220 {
		t.Errorf("%d rows and actors exist at once", rows)
	}
	b.click("#streams-more")
	b.await(`document.querySelectorAll('#streams tr').length === 200`)
	b.click("#streams-filter")
	b.do(chromedp.SendKeys(chromedp.CSS("#streams-filter"), "no such stream"))
	b.awaitText("#no-streams", "No stream matches")
	b.inspect("many")
}

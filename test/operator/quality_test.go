package operator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/browser"
)

// No barrier for those who use a screen reader, a keyboard, or little colour.
func TestTheMainStatesHaveNoAccessibilityViolations(t *testing.T) {
	for _, look := range []string{"light", "dark"} {
		s := serve(t, true, actors.Options{})
		b := open(s)
		for range 3 { // Auto, Light, Dark
			if browser.Value[string](b.Tab, `document.documentElement.dataset.theme ?? ''`) == look {
				break
			}
			b.Click("#theme")
		}
		gone, c := s.connect("gone.#"), s.connect("primary.#")
		b.AwaitText(row(gone), "ready")
		b.Click(`.actor[data-role="connections"] .fold-button`)
		b.Click(`.actor[data-role="connection"] .fold-button`)
		gone.cancel()
		b.AwaitText("#ends", "ClientGone")
		b.Inspect("streams-" + look)
		b.Click(row(c) + " .chaos")
		b.AwaitText("#confirm", "goroutine")
		b.Inspect("crash-" + look)
		b.Click("#confirm .cancel")
		b.Click(`.actor[data-role="broker"] .chaos`)
		b.Click(`#confirm [data-crash="broker"]`)
		b.AwaitText(`.actor[data-role="broker"]`, "1 restart")
		b.Inspect("healed-" + look)
		s.broker.Stop()
		b.AwaitText("#no-links", "No link:")
		s.away()
		b.AwaitState("lost")
		b.Inspect("lost-" + look)
	}
}

// On a phone nothing is wider than the screen: what a stream does, and the button that ends it, are
// in sight without a scroll sideways.
func TestThePageFitsAPhone(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		s := serve(t, true, actors.Options{})
		b := openIn(in, t, s)
		b.Resize(360, 740)
		c := s.connect("primary.a.very.long.routing.key.that.goes.on.and.on.and.on.#")
		b.AwaitText(row(c), "ready")
		if wide := browser.Value[int](b.Tab, `document.documentElement.scrollWidth`); wide > 360 {
			t.Errorf("the page is %d pixels wide", wide)
		}
		gone := s.connect("b")
		b.AwaitText(row(gone), "ready")
		gone.cancel()
		b.AwaitText("#ends", "ClientGone")
		if out := browser.Value[[]string](b.Tab, `[...document.querySelectorAll('#streams *, #ends *')]
			.filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > 360).map((e) => e.textContent)`); len(out) > 0 {
			t.Errorf("out of the window: %q", out)
		}
		b.AwaitText(row(c), "ready")
		b.Inspect("phone-" + strings.ToLower(in.Name))
	})
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
	b.AwaitText("#streams-count", "2,000")
	b.AwaitText("#streams-shown", "the 500 that lag most")
	b.Click(`.actor[data-role="connections"] .fold-button`)
	b.AwaitText(`.actor[data-role="connections"] .number-of`, "500 of 2,000")
	if rows := browser.Value[int](b.Tab, `document.querySelectorAll('#streams tr, .actor').length`); rows > 220 {
		t.Errorf("%d rows and actors exist at once", rows)
	}
	b.Click("#streams-more")
	b.Await(`document.querySelectorAll('#streams tr').length === 200`)
	b.Click("#streams-filter")
	b.Fill("#streams-filter", "no such stream")
	b.AwaitText("#no-streams", "No stream matches")
	b.Inspect("many")
}

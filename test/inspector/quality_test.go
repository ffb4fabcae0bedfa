package inspector

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/browser"
)

// Ten thousand messages at five hundred a second, and the page still answers:
// the list is bounded and only the rows in sight exist.
func TestTenThousandMessagesLeaveThePageResponsive(t *testing.T) {
	const messages, perTick, tick = 10_000, 10, 20 * time.Millisecond
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.AwaitState("live")
	var before []float64
	for range 15 {
		before = append(before, browser.Value[float64](b.Tab, clickTime))
	}
	idle := medianOf(before) // of this page on this machine as busy as it is
	published := make(chan struct{})
	go func() {
		defer close(published)
		next := time.NewTicker(tick)
		defer next.Stop()
		for i := range messages {
			if i%perTick == 0 {
				<-next.C
			}
			s.publish(completed, fmt.Sprint("primary.", i), `{"status":{"taskId":"abc","runs":[{"state":"completed"}]}}`)
		}
	}()
	var took []float64
	for flowing := true; flowing; {
		select {
		case <-published:
			flowing = false
		default:
			took = append(took, browser.Value[float64](b.Tab, clickTime))
		}
	}
	b.awaitReceived(messages)
	if n := browser.Value[int](b.Tab, `document.querySelectorAll('.body .row').length`); n > 300 {
		t.Errorf("%d rows exist at once", n)
	}
	median := medianOf(took)
	t.Logf("%d clicks: median %.1f ms, slowest %.1f ms; before the messages %.1f ms", len(took), median, slices.Max(took), idle)
	if most := max(100, 5*idle); median > most {
		t.Errorf("a click takes %.1f ms", median)
	}
}

func medianOf(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// clickTime is how long after a click the page has drawn what the click did.
const clickTime = `new Promise((done) => {
	const start = performance.now();
	document.getElementById('help').click();
	requestAnimationFrame(() => setTimeout(() => {
		const took = performance.now() - start;
		document.getElementById('help-close').click();
		setTimeout(() => done(took), 50);
	}));
})`

// No barrier for those who use a screen reader, a keyboard, or little colour.
func TestTheMainStatesHaveNoAccessibilityViolations(t *testing.T) {
	s := serve(t, actors.Options{})
	for _, look := range []string{"light", "dark"} {
		b := open(t, s.proxy.URL+"/")
		for range 3 { // Auto, Light, Dark
			if browser.Value[string](b.Tab, `document.documentElement.dataset.theme ?? ''`) == look {
				break
			}
			b.Click("#theme")
		}
		b.Inspect("welcome-" + look)
		b.visit(s.proxy.URL + link(completed, "#"))
		b.AwaitState("live")
		s.publish(completed, "primary.a", `{"status":{"taskId":"abc"}}`, "route.index.x")
		b.awaitRows("primary.a")
		b.Click(".body .row:not([hidden])")
		b.Await(`!document.getElementById('detail').hidden`)
		b.Inspect("detail-" + look)
		b.Click("#tab-code")
		b.Inspect("code-" + look)
		b.visit(s.proxy.URL + link("exchange/none", "#"))
		b.AwaitText("#notice", "BindingRefused")
		b.Inspect("refused-" + look)
	}
}

// On a phone nothing is wider than the screen.
func TestThePageFitsAPhone(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		s := serve(t, actors.Options{})
		b := openIn(in, t, s.proxy.URL+link(completed, "#"))
		b.Resize(360, 740)
		b.AwaitState("live")
		s.publish(completed, "primary.a.very.long.routing.key.that.goes.on.and.on.and.on", `{}`)
		b.Await(`document.querySelectorAll('.body .row:not([hidden])').length === 1`)
		if wide := browser.Value[int](b.Tab, `document.documentElement.scrollWidth`); wide > 360 {
			t.Errorf("the page is %d pixels wide", wide)
		}
		b.Inspect("phone-" + strings.ToLower(in.Name))
	})
}

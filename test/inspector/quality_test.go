package inspector

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/taskcluster/events-proxy/actors"
)

// Ten thousand messages at five hundred a second, and the page still answers:
// the list is bounded and only the rows in sight exist.
func TestTenThousandMessagesLeaveThePageResponsive(t *testing.T) {
	const messages, perTick, tick = 10_000, 10, 20 * time.Millisecond
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.awaitState("live")
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
			took = append(took, value[float64](b, clickTime))
		}
	}
	b.awaitReceived(messages)
	if n := value[int](b, `document.querySelectorAll('.body .row').length`); n > 300 {
		t.Errorf("%d rows exist at once", n)
	}
	slices.Sort(took)
	median := took[len(took)/2]
	t.Logf("%d clicks: median %.1f ms, slowest %.1f ms", len(took), median, took[len(took)-1])
	if median > 100 {
		t.Errorf("a click takes %.1f ms", median)
	}
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
			if value[string](b, `document.documentElement.dataset.theme ?? ''`) == look {
				break
			}
			b.click("#theme")
		}
		b.inspect("welcome-" + look)
		b.visit(s.proxy.URL + link(completed, "#"))
		b.awaitState("live")
		s.publish(completed, "primary.a", `{"status":{"taskId":"abc"}}`, "route.index.x")
		b.awaitRows("primary.a")
		b.click(".body .row:not([hidden])")
		b.await(`!document.getElementById('detail').hidden`)
		b.inspect("detail-" + look)
		b.click("#tab-code")
		b.inspect("code-" + look)
		b.visit(s.proxy.URL + link("exchange/none", "#"))
		b.awaitText("#notice", "BindingRefused")
		b.inspect("refused-" + look)
	}
}

// On a phone nothing is wider than the screen.
func TestThePageFitsAPhone(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.do(chromedp.EmulateViewport(390, 844))
	b.awaitState("live")
	s.publish(completed, "primary.a.very.long.routing.key.that.goes.on.and.on.and.on", `{}`)
	b.await(`document.querySelectorAll('.body .row:not([hidden])').length === 1`)
	if wide := value[int](b, `document.documentElement.scrollWidth`); wide > 390 {
		t.Errorf("the page is %d pixels wide", wide)
	}
	b.inspect("phone")
}

// inspect keeps a picture of the page and lets axe-core look at it.
func (b *tab) inspect(name string) {
	b.t.Helper()
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	keep(b.t, name+".png", picture)
	b.do(chromedp.Evaluate[chromedp.Void](axe + "\n;undefined"))
	for _, v := range value[[]string](b, violations) {
		b.t.Errorf("%s: %s", name, v)
	}
}

// violations is what axe-core finds. One rule misreads trees: it takes the text
// of an item's children for the item's own label, which its name is not to
// repeat.
const violations = `axe.run().then((result) => result.violations
	.map((v) => ({...v, nodes: v.nodes.filter((n) =>
		v.id !== 'label-content-name-mismatch' || !n.html.includes('role="treeitem"'))}))
	.filter((v) => v.nodes.length > 0)
	.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.html).slice(0, 3).join(' | ')))`

package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	patience  = 20 * time.Second // bounds every wait; nothing takes nearly so long
	artifacts = "../../artifacts/operator"
)

// tab is the page in the browser, used as a person does.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string // what the browser held against the page
}

// open shows the page of a site and waits until it is live. A page that
// throws, or breaks its Content-Security-Policy, fails the test.
func open(s *site) *tab {
	s.t.Helper()
	ctx, end := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	s.t.Cleanup(end)
	b := &tab{t: s.t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, complaint := range b.complaints {
			b.t.Errorf("the browser complains: %s", complaint)
		}
	})
	b.do(chromedp.EmulateViewport(1440, 900))
	b.do(chromedp.Navigate(s.url))
	b.awaitState("live")
	b.await(`document.querySelectorAll('.actor').length > 0`)
	return b
}

func (b *tab) hear(event any) {
	complaint := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		details, _ := json.Marshal(e.ExceptionDetails)
		complaint = string(details)
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // a listener that is away is what a test is about
			complaint = e.Entry.Text
		}
	}
	if complaint != "" {
		b.mu.Lock()
		b.complaints = append(b.complaints, complaint)
		b.mu.Unlock()
	}
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// value evaluates an expression in the page; promises are awaited.
func value[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// await waits until an expression is true in the page.
func (b *tab) await(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	script := fmt.Sprintf(`new Promise((done) => {
		const look = () => ((%s) ? done(true) : setTimeout(look, 10));
		look();
	})`, expression)
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise)); err != nil {
		b.t.Fatalf("waiting for %s: %v\nthe page says:\n%s", expression, err, b.everything())
	}
}

// everything gives the page's text, for the report of a failure.
func (b *tab) everything() string {
	ctx, cancel := context.WithTimeout(b.ctx, time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	return text
}

// awaitText waits until an element's text contains a part.
func (b *tab) awaitText(selector, part string) {
	b.t.Helper()
	b.await(fmt.Sprintf(`document.querySelector(%s)?.innerText.includes(%s)`, quote(selector), quote(part)))
}

// awaitGone waits until nothing of a selector is in sight.
func (b *tab) awaitGone(selector string) {
	b.t.Helper()
	b.await(fmt.Sprintf(`![...document.querySelectorAll(%s)].some((e) => e.checkVisibility())`, quote(selector)))
}

// awaitState waits for a state of the page's own connection: live or lost.
func (b *tab) awaitState(state string) {
	b.t.Helper()
	b.await(fmt.Sprintf(`document.getElementById('state').dataset.state === %s`, quote(state)))
}

// click clicks the first element of a selector, once it is in sight.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.await(fmt.Sprintf(`document.querySelector(%s)?.checkVisibility()`, quote(selector)))
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// inspect keeps a picture of the page and lets axe-core look at it.
func (b *tab) inspect(name string) {
	b.t.Helper()
	b.await(`document.getAnimations().every((a) => a.playState === 'finished' || a.effect.getTiming().iterations === Infinity)`)
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(artifacts, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(artifacts, name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
	b.do(chromedp.Evaluate[chromedp.Void](axe + "\n;undefined"))
	for _, violation := range value[[]string](b, violations) {
		b.t.Errorf("%s: %s", name, violation)
	}
}

const violations = `axe.run().then((result) => result.violations
	.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.html).slice(0, 3).join(' | ')))`

func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// row selects a stream's row in the table of streams.
func row(c *client) string { return fmt.Sprintf(`#streams tr[data-stream="%s"]`, c.id) }

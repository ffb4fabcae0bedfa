package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Patience bounds every wait; nothing takes nearly so long.
const Patience = 20 * time.Second

// Tab is a page in the browser, used as a person does. What goes wrong fails
// the test; its methods are for the test's own goroutine.
type Tab struct {
	T       *testing.T
	Context context.Context // chromedp's, of this tab

	suite      *Suite
	mu         sync.Mutex
	complaints []string // what the browser held against the page
}

// Open makes a tab in a profile of its own, with nothing to see yet. A page that
// throws, or breaks its own Content-Security-Policy, fails the test.
func (s *Suite) Open(t *testing.T) *Tab {
	t.Helper()
	return s.open(t, s.chromium, chromedp.WithNewBrowserContext())
}

// Beside makes another tab in the same profile.
func (b *Tab) Beside() *Tab {
	b.T.Helper()
	return b.suite.open(b.T, b.Context)
}

func (s *Suite) open(t *testing.T, in context.Context, options ...chromedp.ContextOption) *Tab {
	t.Helper()
	ctx, end := chromedp.NewContext(in, options...)
	t.Cleanup(end)
	b := &Tab{T: t, Context: ctx, suite: s}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.expectNoComplaints)
	b.Do(chromedp.EmulateViewport(1440, 900))
	return b
}

func (b *Tab) hear(event any) {
	complaint := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		details, _ := json.Marshal(e.ExceptionDetails)
		complaint = string(details)
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // refusals, and servers that are away, are what some tests are about
			complaint = e.Entry.Text
		}
	}
	if complaint != "" {
		b.mu.Lock()
		b.complaints = append(b.complaints, complaint)
		b.mu.Unlock()
	}
}

func (b *Tab) expectNoComplaints() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, complaint := range b.complaints {
		b.T.Errorf("the browser complains: %s", complaint)
	}
}

// Do runs actions, one after the other.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Context, Patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.T.Fatal(err)
	}
}

// Click clicks in the middle of the first element of a CSS selector, once it is
// in sight.
func (b *Tab) Click(selector string) {
	b.T.Helper()
	b.Await(fmt.Sprintf(`document.querySelector(%s)?.checkVisibility()`, Quote(selector)))
	b.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Value evaluates an expression in the page; promises are awaited.
func Value[T any](b *Tab, expression string) T {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Context, Patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.T.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Await waits until an expression is true in the page.
func (b *Tab) Await(expression string) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Context, Patience)
	defer cancel()
	script := fmt.Sprintf(`new Promise((done) => {
		const look = () => ((%s) ? done(true) : setTimeout(look, 10));
		look();
	})`, expression)
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise)); err != nil {
		b.T.Fatalf("waiting for %s: %v\nthe page says:\n%s", expression, err, b.everything())
	}
}

// AwaitText waits until the text of the first element of a selector contains a
// part.
func (b *Tab) AwaitText(selector, part string) {
	b.T.Helper()
	b.Await(fmt.Sprintf(`document.querySelector(%s)?.innerText.includes(%s)`, Quote(selector), Quote(part)))
}

// AwaitState waits for a state of the page's own connection, which both pages
// tell in their element #state: live, stopped, ended, lost, …
func (b *Tab) AwaitState(state string) {
	b.T.Helper()
	b.Await(fmt.Sprintf(`document.getElementById('state').dataset.state === %s`, Quote(state)))
}

// everything returns the page's text, for the report of a failure.
func (b *Tab) everything() string {
	ctx, cancel := context.WithTimeout(b.Context, time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	return text
}

// Quote writes a text as JavaScript does.
func Quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

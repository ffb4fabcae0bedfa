package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Patience bounds every wait; nothing takes nearly so long.
const Patience = 20 * time.Second

// page is what the drivers of all browsers do with a tab; firefox.Page has the
// promise of each method.
type page interface {
	Navigate(ctx context.Context, url string) error
	Evaluate(ctx context.Context, expression string) (json.RawMessage, error)
	Click(ctx context.Context, selector string) error
	Type(ctx context.Context, text string) error
	Resize(ctx context.Context, width, height int64) error
	Picture(ctx context.Context) ([]byte, error)
}

// Tab is a page in a browser, used as a person does. What goes wrong fails the
// test; its methods are for the test's own goroutine.
type Tab struct {
	T       *testing.T
	Context context.Context // in Chromium: chromedp's, of this tab

	suite      *Suite
	page       page
	beside     func(*testing.T) *Tab
	mu         sync.Mutex
	complaints []string // what the browser held against the page
}

// newTab returns a tab that is still without its page.
func (s *Suite) newTab(t *testing.T) *Tab { return &Tab{T: t, Context: context.Background(), suite: s} }

// begin opens the tab's page. A page that throws, or breaks its own
// Content-Security-Policy, fails the test.
func (b *Tab) begin(p page) *Tab {
	b.T.Helper()
	b.page = p
	b.T.Cleanup(b.expectNoComplaints)
	b.Resize(1440, 900)
	return b
}

// Beside makes another tab in the same profile.
func (b *Tab) Beside() *Tab {
	b.T.Helper()
	return b.beside(b.T)
}

func (b *Tab) complain(of string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, of)
}

func (b *Tab) expectNoComplaints() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, complaint := range b.complaints {
		b.T.Errorf("the browser complains: %s", complaint)
	}
}

// Do runs actions of chromedp's, one after the other, for what a test asks of
// Chromium alone.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.T.Helper()
	b.must("", func(ctx context.Context) error { return chromedp.Do(ctx, actions...) })
}

// must fails the test if what a driver does takes too long or goes wrong.
func (b *Tab) must(what string, do func(context.Context) error) {
	b.T.Helper()
	ctx, cancel := context.WithTimeout(b.Context, Patience)
	defer cancel()
	if err := do(ctx); err != nil {
		b.T.Fatalf("%s: %v", what, err)
	}
}

// Visit shows a URL.
func (b *Tab) Visit(url string) {
	b.T.Helper()
	b.must(url, func(ctx context.Context) error { return b.page.Navigate(ctx, url) })
}

// Resize sets the page's size, in CSS pixels.
func (b *Tab) Resize(width, height int64) {
	b.T.Helper()
	b.must("resize", func(ctx context.Context) error { return b.page.Resize(ctx, width, height) })
}

// Click clicks in the middle of the first element of a CSS selector, once it is
// in sight.
func (b *Tab) Click(selector string) {
	b.T.Helper()
	b.Await(fmt.Sprintf(`document.querySelector(%s)?.checkVisibility()`, Quote(selector)))
	b.must("click on "+selector, func(ctx context.Context) error { return b.page.Click(ctx, selector) })
}

// Fill replaces what a field holds, key by key.
func (b *Tab) Fill(selector, text string) {
	b.T.Helper()
	b.Run(fmt.Sprintf(`((field) => { field.focus(); field.select() })(document.querySelector(%s))`, Quote(selector)))
	b.Type(text)
}

// Type presses the keys of a text, wherever the focus is.
func (b *Tab) Type(text string) {
	b.T.Helper()
	b.must("type", func(ctx context.Context) error { return b.page.Type(ctx, text) })
}

// Picture returns what is in sight, as a PNG.
func (b *Tab) Picture() (picture []byte) {
	b.T.Helper()
	b.must("picture", func(ctx context.Context) (err error) {
		picture, err = b.page.Picture(ctx)
		return err
	})
	return picture
}

// Value evaluates an expression in the page; promises are awaited.
func Value[T any](b *Tab, expression string) (value T) {
	b.T.Helper()
	b.must(expression, func(ctx context.Context) error {
		text, err := b.page.Evaluate(ctx, expression)
		if err != nil {
			return err
		}
		return json.Unmarshal(text, &value)
	})
	return value
}

// Run evaluates an expression for what it does; a promise is awaited.
func (b *Tab) Run(expression string) {
	b.T.Helper()
	Value[any](b, "(async () => { await ("+expression+") })()")
}

// Await waits until an expression is true in the page.
func (b *Tab) Await(expression string) {
	b.T.Helper()
	if err := b.Try(expression); err != nil {
		b.T.Fatalf("waiting for %s: %v\nthe page says:\n%s", expression, err, b.everything())
	}
}

// Try is Await for a test that has more to say about a failure.
func (b *Tab) Try(expression string) error {
	ctx, cancel := context.WithTimeout(b.Context, Patience)
	defer cancel()
	_, err := b.page.Evaluate(ctx, fmt.Sprintf(`new Promise((done) => {
		const look = () => ((%s) ? done(true) : setTimeout(look, 10));
		look();
	})`, expression))
	return err
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
	text, _ := b.page.Evaluate(ctx, `document.body.innerText`)
	var plain string
	_ = json.Unmarshal(text, &plain)
	return plain
}

// Quote writes a text as JavaScript does.
func Quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

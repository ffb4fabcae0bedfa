package inspector

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds every wait; nothing takes nearly so long.
const patience = 20 * time.Second

// tab is a page in the browser, used as a person does: by clicks and keys.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string // what the browser held against the page
}

// open opens a page in a tab of a fresh profile. A page that throws, or breaks
// its own Content-Security-Policy, fails the test.
func open(t *testing.T, url string) *tab {
	t.Helper()
	return openIn(t, url, chromium, chromedp.WithNewBrowserContext())
}

// openBeside opens another tab of the same profile.
func (b *tab) openBeside(url string) *tab {
	b.t.Helper()
	return openIn(b.t, url, b.ctx)
}

func openIn(t *testing.T, url string, in context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(in, options...)
	t.Cleanup(end)
	b := &tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.expectNoComplaints)
	b.do(chromedp.EmulateViewport(1440, 900))
	b.visit(url)
	return b
}

func (b *tab) hear(event any) {
	complaint := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		details, _ := json.Marshal(e.ExceptionDetails)
		complaint = string(details)
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork { // refusals are what some tests are about
			complaint = e.Entry.Text
		}
	}
	if complaint != "" {
		b.mu.Lock()
		b.complaints = append(b.complaints, complaint)
		b.mu.Unlock()
	}
}

func (b *tab) expectNoComplaints() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, complaint := range b.complaints {
		b.t.Errorf("the browser complains: %s", complaint)
	}
}

// visit shows a URL and waits until the page is at work.
func (b *tab) visit(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
	b.await(`document.querySelectorAll('#examples button').length > 0`)
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// click clicks in the middle of the first element of a CSS selector.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.await(fmt.Sprintf(`document.querySelector(%s)?.checkVisibility()`, quote(selector)))
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// fill replaces what a field holds, key by key.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%s).select()`, quote(selector))))
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// press presses keys wherever the focus is.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// enter presses Enter as a keyboard does.
func (b *tab) enter() {
	b.t.Helper()
	b.stroke(input.DispatchKeyEventParams{Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, NativeVirtualKeyCode: 13}, "\r")
}

// letter presses a key that writes a letter.
func (b *tab) letter(key string) {
	b.t.Helper()
	b.stroke(input.DispatchKeyEventParams{Key: key}, key)
}

// stroke presses a key as a keyboard does: a page that handles the key going
// down sees nothing more of it, where chromedp would send a letter still.
func (b *tab) stroke(key input.DispatchKeyEventParams, text string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		down, up := key, key
		down.Type, down.Text = input.DispatchKeyEventTypeKeyDown, text
		up.Type = input.DispatchKeyEventTypeKeyUp
		for _, event := range []input.DispatchKeyEventParams{down, up} {
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, event); err != nil {
				return err
			}
		}
		return nil
	}))
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

// text gives the text of the first element of a selector, as it is shown.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return value[string](b, fmt.Sprintf(`document.querySelector(%s)?.innerText ?? ''`, quote(selector)))
}

// texts gives the text of all elements of a selector.
func (b *tab) texts(selector string) []string {
	b.t.Helper()
	return value[[]string](b, fmt.Sprintf(`[...document.querySelectorAll(%s)].map((e) => e.innerText)`, quote(selector)))
}

// awaitText waits until an element's text contains a part.
func (b *tab) awaitText(selector, part string) {
	b.t.Helper()
	b.await(fmt.Sprintf(`document.querySelector(%s)?.innerText.includes(%s)`, quote(selector), quote(part)))
}

// awaitState waits for a state of the connection: live, stopped, ended, …
func (b *tab) awaitState(state string) {
	b.t.Helper()
	b.await(fmt.Sprintf(`document.getElementById('state').dataset.state === %s`, quote(state)))
}

// awaitReceived waits until the page has counted so many messages.
func (b *tab) awaitReceived(n int) {
	b.t.Helper()
	b.await(fmt.Sprintf(`Number(document.getElementById('count-received').textContent.replaceAll(',', '')) >= %d`, n))
}

// rows gives the routing keys in sight, from top to bottom.
func (b *tab) rows() []string {
	b.t.Helper()
	return strings.Fields(value[string](b, `[...document.querySelectorAll('.body .row:not([hidden])')]
		.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((row) => row.querySelector('.key-text').textContent).join(' ')`))
}

// awaitRows waits until exactly these routing keys are in sight, newest first.
func (b *tab) awaitRows(keys ...string) {
	b.t.Helper()
	b.await(fmt.Sprintf(`[...document.querySelectorAll('.body .row:not([hidden])')]
		.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((row) => row.querySelector('.key-text').textContent).join(' ') === %s`,
		quote(strings.Join(keys, " "))))
}

func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// setValue puts a text into a field at once, as pasting does.
func setValue(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`{
		const field = document.querySelector(%s);
		field.value = %s;
		field.dispatchEvent(new Event('input', {bubbles: true}));
	}`, quote(selector), quote(text)))
}

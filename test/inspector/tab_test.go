package inspector

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/taskcluster/events-proxy/test/browser"
)

// tab shows the page.
type tab struct{ *browser.Tab }

// open opens a page in a tab of a fresh profile.
func open(t *testing.T, url string) *tab {
	t.Helper()
	return openIn(suite.Chromium(), t, url)
}

// openIn is open in a browser that the test chooses.
func openIn(in browser.Browser, t *testing.T, url string) *tab {
	t.Helper()
	b := &tab{in.Open(t)}
	b.visit(url)
	return b
}

// openBeside opens another tab of the same profile.
func (b *tab) openBeside(url string) *tab {
	b.T.Helper()
	beside := &tab{b.Beside()}
	beside.visit(url)
	return beside
}

// visit shows a URL and waits until the page is at work.
func (b *tab) visit(url string) {
	b.T.Helper()
	b.Visit(url)
	b.Await(`document.querySelectorAll('#examples button').length > 0`)
}

// press presses keys wherever the focus is.
func (b *tab) press(keys string) {
	b.T.Helper()
	b.Do(chromedp.KeyEvent(keys))
}

// enter presses Enter as a keyboard does.
func (b *tab) enter() {
	b.T.Helper()
	b.stroke(input.DispatchKeyEventParams{Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, NativeVirtualKeyCode: 13}, "\r")
}

// letter presses a key that writes a letter.
func (b *tab) letter(key string) {
	b.T.Helper()
	b.stroke(input.DispatchKeyEventParams{Key: key}, key)
}

// stroke presses a key as a keyboard does: a page that handles the key going
// down sees nothing more of it, where chromedp would send a letter still.
func (b *tab) stroke(key input.DispatchKeyEventParams, text string) {
	b.T.Helper()
	b.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
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

// text returns the text of the first element of a selector, as it is shown.
func (b *tab) text(selector string) string {
	b.T.Helper()
	return browser.Value[string](b.Tab, fmt.Sprintf(`document.querySelector(%s)?.innerText ?? ''`, browser.Quote(selector)))
}

// texts returns the text of all elements of a selector.
func (b *tab) texts(selector string) []string {
	b.T.Helper()
	return browser.Value[[]string](b.Tab, fmt.Sprintf(`[...document.querySelectorAll(%s)].map((e) => e.innerText)`, browser.Quote(selector)))
}

// awaitReceived waits until the page has counted so many messages.
func (b *tab) awaitReceived(n int) {
	b.T.Helper()
	b.Await(fmt.Sprintf(`Number(document.getElementById('count-received').textContent.replaceAll(',', '')) >= %d`, n))
}

// rows returns the routing keys in sight, from top to bottom.
func (b *tab) rows() []string {
	b.T.Helper()
	return strings.Fields(browser.Value[string](b.Tab, `[...document.querySelectorAll('.body .row:not([hidden])')]
		.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((row) => row.querySelector('.key-text').textContent).join(' ')`))
}

// awaitRows waits until exactly these routing keys are in sight, newest first.
func (b *tab) awaitRows(keys ...string) {
	b.T.Helper()
	b.Await(fmt.Sprintf(`[...document.querySelectorAll('.body .row:not([hidden])')]
		.sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((row) => row.querySelector('.key-text').textContent).join(' ') === %s`,
		browser.Quote(strings.Join(keys, " "))))
}

// paste puts a text into a field at once.
func (b *tab) paste(selector, text string) {
	b.T.Helper()
	b.Run(fmt.Sprintf(`((field) => {
		field.value = %s;
		field.dispatchEvent(new Event('input', {bubbles: true}));
	})(document.querySelector(%s))`, browser.Quote(text), browser.Quote(selector)))
}

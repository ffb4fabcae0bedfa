package operator

import (
	"fmt"
	"testing"

	"github.com/taskcluster/events-proxy/test/browser"
)

// tab shows the page.
type tab struct{ *browser.Tab }

// open shows the page of a site and waits until it is live.
func open(s *site) *tab {
	s.t.Helper()
	return openIn(suite.Chromium(), s.t, s)
}

// openIn is open in a browser that the test chooses.
func openIn(in browser.Browser, t *testing.T, s *site) *tab {
	t.Helper()
	b := &tab{in.Open(t)}
	b.Visit(s.url)
	b.AwaitState("live")
	b.Await(`document.querySelectorAll('.actor').length > 0`)
	return b
}

// awaitGone waits until nothing of a selector is in sight.
func (b *tab) awaitGone(selector string) {
	b.T.Helper()
	b.Await(fmt.Sprintf(`![...document.querySelectorAll(%s)].some((e) => e.checkVisibility())`, browser.Quote(selector)))
}

// row selects a stream's row in the table of streams.
func row(c *client) string { return fmt.Sprintf(`#streams tr[data-stream="%s"]`, c.id) }

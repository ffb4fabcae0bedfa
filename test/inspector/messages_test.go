package inspector

import (
	"fmt"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/browser"
)

// From a message's row to the value one looks for, without leaving the page.
func TestAMessageIsFilteredOpenedAndPaused(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		s := serve(t, actors.Options{})
		b := openIn(in, t, s.proxy.URL+link(completed, "#"))
		b.AwaitState("live")
		s.publish(completed, "primary.a", `{"status":{"taskId":"abc","big":12345678901234567890}}`, "route.index.x")
		s.publish(completed, "primary.b", `"not an object"`)
		b.awaitRows("primary.b", "primary.a")
		b.Fill("#filter", "taskid")
		b.awaitRows("primary.a")

		b.Click(".body .row:not([hidden])")
		b.Await(`!document.getElementById('detail').hidden`)
		b.AwaitText("#detail", "index.x")
		b.AwaitText("#detail", "12345678901234567890") // to the digit, though JavaScript's numbers cannot hold it

		b.Fill("#filter", " ")
		b.awaitRows("primary.b", "primary.a")
		b.Click("#pause")
		s.publish(completed, "primary.c", `{}`)
		b.awaitReceived(3) // counted all the same
		if rows := b.rows(); len(rows) != 2 {
			t.Errorf("rows while paused: %v", rows)
		}
		b.Click("#pause")
		b.awaitRows("primary.c", "primary.b", "primary.a")
		b.Click("#clear")
		b.AwaitText("#waiting", "Nothing has been published")
	})
}

// A filter that nothing passes says so where the messages would be, on a phone too, and one click
// takes it away.
func TestAFilterThatNothingPassesSaysSo(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.Resize(360, 740)
	b.AwaitState("live")
	s.publish(completed, "primary.a", `{}`)
	s.publish(completed, "primary.b", `{}`)
	b.awaitRows("primary.b", "primary.a")
	b.Fill("#filter", "key:.b")
	b.awaitRows("primary.b")
	b.AwaitText("#filter-count", "1 of 2")
	b.expectInSight("#filter-count")
	b.paste("#filter", "no such thing")
	b.AwaitText("#none-pass", "No message passes the filter")
	b.AwaitText("#none-pass", "2 messages are hidden")
	b.expectInSight("#none-pass")
	s.publish(completed, "no such thing", `{}`)
	b.awaitRows("no such thing")
	b.paste("#filter", "nor this")
	b.Click("#clear-filter")
	b.Await(`document.querySelectorAll('.body .row:not([hidden])').length === 3`)
	b.Await(`!document.getElementById('none-pass').checkVisibility()`)
}

// A link carries its bindings to a colleague, the old tool's links too.
func TestAPermalinkOpensTheSameInASecondTab(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		s := serve(t, actors.Options{})
		first := openIn(in, t, s.proxy.URL+"/?bindings[0][exchange]="+completed+"&bindings[0][routingKeyPattern]=primary.%23")
		first.AwaitText("#binding-list", "primary.#")
		first.Click("#start")
		first.AwaitState("live")
		second := first.openBeside(browser.Value[string](first.Tab, `location.href`))
		second.AwaitText("#binding-list", "primary.#")
		second.AwaitState("live") // with this link the page listens at once
		s.publish(completed, "primary.a", `{}`)
		first.awaitRows("primary.a")
		second.awaitRows("primary.a")
	})
}

// The code tab has exactly these bindings in every language.
func TestTheCodeTabSpeaksOfTheBindings(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+stoppedLink(completed, "primary.*"))
	b.Click("#tab-code")
	languages := b.texts("#languages [role=tab]")
	if len(languages) < 4 {
		t.Fatalf("languages: %v", languages)
	}
	for i := range languages {
		b.Click(fmt.Sprintf("#languages [role=tab]:nth-child(%d)", i+1))
		b.Await(`/task-completed/.test(document.getElementById('snippet').textContent)`)
	}
}

// A look at the code costs neither the opened message nor the place in the list.
func TestTheOpenedMessageSurvivesALookAtTheCode(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.AwaitState("live")
	for i := range 200 {
		s.publish(completed, fmt.Sprint("primary.", i), fmt.Sprintf(`{"n":%d}`, i))
	}
	b.awaitReceived(200)
	b.Run(`document.getElementById('table').scrollTop = 2000`)
	b.Await(`[...document.querySelectorAll('.body .row:not([hidden])')].find((row) => row.textContent.includes('primary.130'))?.click() ?? !document.getElementById('detail').hidden`)
	b.AwaitText("#detail", "primary.130")
	b.Click("#tab-code")
	b.Await(`!document.getElementById('detail').checkVisibility()`)
	s.publish(completed, "primary.late", `{}`)
	b.awaitReceived(201)
	b.Click("#tab-messages")
	b.AwaitText("#detail", "primary.130")
	b.Await(`document.querySelector('.body .row[aria-selected="true"]:not([hidden])')?.textContent.includes('primary.130')`)
}

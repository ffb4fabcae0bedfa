package inspector

import (
	"fmt"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// From a message's row to the value one looks for, without leaving the page.
func TestAMessageIsFilteredOpenedAndPaused(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.awaitState("live")
	s.publish(completed, "primary.a", `{"status":{"taskId":"abc","big":12345678901234567890}}`, "route.index.x")
	s.publish(completed, "primary.b", `"not an object"`)
	b.awaitRows("primary.b", "primary.a")
	b.fill("#filter", "taskid")
	b.awaitRows("primary.a")

	b.click(".body .row:not([hidden])")
	b.await(`!document.getElementById('detail').hidden`)
	b.awaitText("#detail", "index.x")
	b.awaitText("#detail", "12345678901234567890") // to the digit, though JavaScript's numbers cannot hold it

	b.fill("#filter", " ")
	b.awaitRows("primary.b", "primary.a")
	b.click("#pause")
	s.publish(completed, "primary.c", `{}`)
	b.awaitReceived(3) // counted all the same
	if rows := b.rows(); len(rows) != 2 {
		t.Errorf("rows while paused: %v", rows)
	}
	b.click("#pause")
	b.awaitRows("primary.c", "primary.b", "primary.a")
	b.click("#clear")
	b.awaitText("#waiting", "Nothing has been published")
}

// A link carries its bindings to a colleague, the old tool's links too.
func TestAPermalinkOpensTheSameInASecondTab(t *testing.T) {
	s := serve(t, actors.Options{})
	first := open(t, s.proxy.URL+"/?bindings[0][exchange]="+completed+"&bindings[0][routingKeyPattern]=primary.%23")
	first.awaitText("#binding-list", "primary.#")
	first.click("#start")
	first.awaitState("live")
	second := first.openBeside(value[string](first, `location.href`))
	second.awaitText("#binding-list", "primary.#")
	second.awaitState("live") // the link says that it listens at once
	s.publish(completed, "primary.a", `{}`)
	first.awaitRows("primary.a")
	second.awaitRows("primary.a")
}

// The code tab gives exactly these bindings in every language.
func TestTheCodeTabSpeaksOfTheBindings(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+stoppedLink(completed, "primary.*"))
	b.click("#tab-code")
	languages := b.texts("#languages [role=tab]")
	if len(languages) < 4 {
		t.Fatalf("languages: %v", languages)
	}
	for i := range languages {
		b.click(fmt.Sprintf("#languages [role=tab]:nth-child(%d)", i+1))
		b.await(`/task-completed/.test(document.getElementById('snippet').textContent)`)
	}
}

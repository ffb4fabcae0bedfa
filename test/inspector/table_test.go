package inspector

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/browser"
)

// What one looks for in payloads stands in the table: a click on a value makes it a column, and the
// link takes it to a colleague.
func TestAValueBecomesAColumnThatTheLinkRemembers(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.AwaitState("live")
	s.publish(completed, "primary.a", `{"status":{"state":"completed","runs":[{"by":"a \"worker\"","n":12345678901234567890}]}}`)
	s.publish(completed, "primary.b", `{"status":{"state":"odd","runs":[]}}`)
	s.publish(completed, "primary.c", `not JSON`)
	b.awaitRows("primary.c", "primary.b", "primary.a")
	b.Click(`.body .row[aria-rowindex="4"]`)
	b.clickValue("state")
	b.AwaitText("#toast", ".status.state is a column now")
	b.clickValue("by")
	b.clickValue("n")
	want := "|odd|completed;||a \"worker\";||12345678901234567890"
	b.awaitColumns(want)

	second := b.openBeside(browser.Value[string](b.Tab, `location.href`))
	second.AwaitState("live")
	second.Await(`[...document.querySelectorAll('.field-title')].map((e) => e.title).join() === '.status.state,.status.runs[0].by,.status.runs[0].n'`)
	s.publish(completed, "primary.d", `{"status":{"state":"late"}}`)
	second.awaitColumns("late;;")

	b.Click(`[aria-label="Remove the column .status.runs[0].by"]`)
	b.clickValue("state") // chosen once more, it goes
	b.awaitColumns("|||12345678901234567890")
	if href := browser.Value[string](b.Tab, `location.href`); strings.Count(href, "column=") != 1 {
		t.Errorf("the link is %s", href)
	}
}

// clickValue clicks on the first value of a name in the payload.
func (b *tab) clickValue(name string) {
	b.T.Helper()
	b.Await(fmt.Sprintf(`[...document.querySelectorAll('[role=treeitem]')].some((e) => e.ariaLabel.startsWith(%s))`, browser.Quote(name+":")))
	b.Run(fmt.Sprintf(`[...document.querySelectorAll('[role=treeitem]')].find((e) => e.ariaLabel.startsWith(%s)).querySelector('.value').click()`, browser.Quote(name+":")))
}

// awaitColumns waits for the texts of the columns, newest first: "a|b;c|d" are two columns.
func (b *tab) awaitColumns(want string) {
	b.T.Helper()
	b.Await(fmt.Sprintf(`(() => {
		const rows = [...document.querySelectorAll('.body .row:not([hidden])')].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex);
		return [...document.querySelectorAll('.row.head .field')].map((_, i) =>
			rows.map((row) => row.querySelectorAll('.field')[i].textContent).join('|')).join(';');
	})() === %s`, browser.Quote(want)))
}

// The end of a name is what tells exchanges apart, and where it does not, as much more as does.
func TestARowShowsWhatTellsItsExchangeFromOthers(t *testing.T) {
	s := serve(t, actors.Options{})
	const other = "exchange/our-own/v1/task-completed"
	s.declare(other)
	b := open(t, s.proxy.URL+link(completed, "#", failed, "#", other, "#"))
	b.AwaitState("live")
	s.publish(completed, "a", `{}`)
	s.publish(failed, "b", `{}`)
	b.awaitRows("b", "a")
	b.awaitNames("task-failed task-completed")
	s.publish(other, "c", `{}`)
	b.awaitNames("our-own/v1/task-completed task-failed taskcluster-queue/v1/task-completed")
}

func (b *tab) awaitNames(want string) {
	b.T.Helper()
	b.Await(fmt.Sprintf(`[...document.querySelectorAll('.body .row:not([hidden])')].sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)
		.map((row) => row.querySelector('.name').textContent).join(' ') === %s`, browser.Quote(want)))
}

// How a task ended is seen at a glance, by colour and by shape; else each binding has a mark of its own.
func TestMarksTellMeaningsAndBindingsApart(t *testing.T) {
	s := serve(t, actors.Options{})
	const exception, pending = "exchange/taskcluster-queue/v1/task-exception", "exchange/taskcluster-queue/v1/task-pending"
	s.declare(exception, pending)
	b := open(t, s.proxy.URL+link(completed, "#", failed, "#", exception, "#", pending, "primary.x", pending, "primary.y"))
	b.AwaitState("live")
	for _, exchange := range []string{completed, failed, exception} {
		s.publish(exchange, "primary.x", `{}`)
	}
	s.publish(pending, "primary.x", `{}`)
	s.publish(pending, "primary.y", `{}`)
	b.awaitReceived(5)
	b.Await(`[...document.querySelectorAll('.body .row:not([hidden])')].sort((a, b) => b.ariaRowIndex - a.ariaRowIndex)
		.map((row) => row.querySelector('.mark').dataset.mark).join() === 'good,bad,warn,1,2'`)
	for _, property := range []string{"backgroundColor", "clipPath"} {
		looks := browser.Value[[]string](b.Tab, fmt.Sprintf(`[...document.querySelectorAll('.body .row:not([hidden]) .mark')].map((e) => getComputedStyle(e).%s)`, property))
		if slices.Sort(looks); len(slices.Compact(looks)) != 5 {
			t.Errorf("%s: five kinds look like %q", property, looks)
		}
	}
}

// A key as long as Taskcluster's is read in its row: its ids give way before its other words, and
// beside it there is room for the beginning of the payload. On a phone it has two lines.
func TestALongKeyAndAnExcerptAreReadInTheirRow(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.AwaitState("live")
	b.Resize(1366, 768)
	const key = "primary.fN1SbArXTPSVFNUvaOlinQ.0.us-east-1.i-0a1b2c3d4e5f60718.proj-misc.ci.decision-task.eLk2RzSdTHmN3hO4pQ5rSg._"
	s.publish(completed, key, `{"status":{"taskId":"fN1SbArXTPSVFNUvaOlinQ"}}`, "route.a", "route.b")
	b.awaitRows(key) // whole for those who copy it
	b.Await(`document.querySelector('.body .row:not([hidden]) .key-text').title.endsWith('eLk2RzSdTHmN3hO4pQ5rSg._')`)
	b.AwaitText(".body .row:not([hidden]) .routes-more", "+2")
	b.AwaitText(".body .row:not([hidden]) .excerpt-text", "status: {taskId:")
	for _, size := range [][2]int64{{1366, 768}, {360, 740}} {
		b.Resize(size[0], size[1])
		b.Await(`document.querySelector('.body .row:not([hidden])').clientWidth <= innerWidth`)
		cut := browser.Value[string](b.Tab, `[...document.querySelectorAll('.body .row:not([hidden]) .word')].filter((word) => {
			const box = word.getBoundingClientRect();
			const cell = word.closest('.cell').getBoundingClientRect();
			return box.width > 0 && (word.scrollWidth > word.clientWidth || box.right > cell.right + 1 || box.bottom > cell.bottom + 1);
		}).map((word) => word.textContent).join(' ')`)
		if cut != "fN1SbArXTPSVFNUvaOlinQ i-0a1b2c3d4e5f60718 eLk2RzSdTHmN3hO4pQ5rSg" {
			t.Errorf("%d pixels wide, cut: %s", size[0], cut)
		}
	}
}

// What does not fit is cut with an ellipsis, so that it is known to be cut, and is told whole by a
// tooltip; in a window of any width.
func TestWhatDoesNotFitInARowEndsWithAnEllipsis(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		const exchange = "exchange/our-own/v1/a-name-that-goes-on-and-on-without-an-end-and-has-no-room-in-a-cell"
		key := strings.Repeat("word.and.", 22) + "end"
		s := serve(t, actors.Options{})
		s.declare(exchange)
		b := openIn(in, t, s.proxy.URL+link(exchange, key))
		b.AwaitState("live")
		s.publish(exchange, key, `{"a":1}`, "route.a")
		b.awaitRows(key)
		for _, width := range []int64{360, 800, 1366} {
			b.Resize(width, 768)
			b.Await(`document.querySelector('.body .row:not([hidden])').clientWidth <= innerWidth`)
			if cut := browser.Value[[]string](b.Tab, cutWithoutEllipsis); len(cut) > 0 {
				t.Errorf("%d pixels wide, cut without a sign: %q", width, cut)
			}
		}
		if title := browser.Value[string](b.Tab, `document.querySelector('.body .row:not([hidden]) .key-text').title`); title != key {
			t.Errorf("the tooltip says %q", title)
		}
	})
}

// cutWithoutEllipsis are the texts in rows and bindings that are cut where a browser draws no
// ellipsis: it does so in a block alone, at the end of a line or of the last line that is shown.
const cutWithoutEllipsis = `[...document.querySelectorAll('.body .row:not([hidden]) *, #binding-list *')].filter((e) => {
	const style = getComputedStyle(e);
	const wide = e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1;
	const high = e.clientHeight > 0 && e.scrollHeight > e.clientHeight + 1;
	const ellipsis = style.textOverflow === 'ellipsis' && /block/.test(style.display);
	const lastLine = Number(style.webkitLineClamp) > 0;
	return style.overflowX !== 'visible' && (wide && !ellipsis || high && !lastLine);
}).map((e) => e.className + ': ' + e.textContent)`

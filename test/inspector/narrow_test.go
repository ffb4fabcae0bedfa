package inspector

import (
	"fmt"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/browser"
)

// On a phone the examples, then the messages, are what is seen first; the form is a tap away.
func TestAPhoneShowsExamplesAndMessagesFirst(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+"/")
	b.Resize(360, 740)
	b.expectInSight("#examples button")
	b.expectOutOfSight("#exchange")
	b.Click("#side-fold")
	b.expectInSight("#exchange")
	b.Fill("#exchange", completed)
	b.enter()
	b.Click("#start")
	b.AwaitState("live")
	b.expectOutOfSight("#exchange")
	s.publish(completed, "primary.a", `{"a":1}`)
	b.awaitRows("primary.a")
	b.expectInSight(".body .row:not([hidden])")
	b.expectInSight("#stop")
}

// The values that were made columns, and the names of the columns, are read whole on a phone and on a tablet.
func TestColumnsAreReadInANarrowWindow(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		s := serve(t, actors.Options{})
		b := openIn(in, t, s.proxy.URL+link(completed, "#")+"&column=.status.taskId&column=.status.state&column=.status.reason")
		b.AwaitState("live")
		s.publish(completed, "primary.a", `{"status":{"taskId":"VnqSaPa2Rp2mLxVn_ABCDE","state":"completed","reason":"deadline-exceeded"}}`)
		b.awaitRows("primary.a")
		for _, width := range []int64{360, 800} {
			b.Resize(width, 740)
			for i := range 3 {
				b.expectInSight(fmt.Sprintf(".body .row:not([hidden]) .field:nth-child(%d)", i+1))
			}
			if cut := browser.Value[[]string](b.Tab, `[...document.querySelectorAll('.body .row:not([hidden]) .field, .field-title')]
				.filter((e) => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1).map((e) => e.textContent)`); len(cut) > 0 {
				t.Errorf("%d pixels wide, cut: %q", width, cut)
			}
		}
	})
}

// Of the code for other programs, the chosen language is in sight, and no button lies on the code.
func TestAPhoneShowsTheCodeAndItsLanguage(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+stoppedLink(completed, "#"))
	b.Resize(360, 740)
	b.Click("#tab-code")
	b.Click("#language-curl")
	b.expectInSight("#language-curl")
	if browser.Value[bool](b.Tab, `(() => {
		const range = document.createRange();
		range.selectNodeContents(document.getElementById('snippet'));
		const button = document.getElementById('copy-code').getBoundingClientRect();
		return [...range.getClientRects()].some((line) => line.top < button.bottom && line.bottom > button.top);
	})()`) {
		t.Error("the button lies on the code")
	}
}

// Why a stream ended is read on the narrowest phone, without a scroll and without a word cut off.
func TestAPhoneShowsWhyAStreamEnded(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		s := serve(t, actors.Options{})
		b := openIn(in, t, s.proxy.URL+stoppedLink("exchange/a-name-that-goes-on-and-on-without-an-end-and-has-no-room-in-a-line/v1/none", "#"))
		b.Resize(360, 740)
		b.Click("#start")
		b.AwaitText("#notice", "BindingRefused")
		for _, part := range []string{"#notice h2", "#notice .tag", "#notice .told", "#notice p:last-child", "#notice .notice-acts"} {
			b.expectInSight(part)
		}
		if cut := browser.Value[[]string](b.Tab, `[...document.querySelectorAll('#notice *, #state, #state *')]
		.filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0).map((e) => e.textContent)`); len(cut) > 0 {
			t.Errorf("cut off: %q", cut)
		}
	})
}

// On a tablet, and in a narrow window, an opened message leaves the others in sight.
func TestAnOpenedMessageLeavesTheOthersInSight(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		s := serve(t, actors.Options{})
		b := openIn(in, t, s.proxy.URL+link(completed, "#"))
		b.AwaitState("live")
		s.publish(completed, "primary.a", `{"a":1}`)
		s.publish(completed, "primary.b", `{"a":1}`)
		b.awaitRows("primary.b", "primary.a")
		b.Click(".body .row:not([hidden])")
		for _, size := range [][2]int64{{800, 1000}, {800, 600}, {1024, 768}, {1366, 768}} {
			b.Resize(size[0], size[1])
			b.expectInSight(`.body .row[aria-rowindex="2"] .key-text`)
			b.expectInSight(`.body .row[aria-rowindex="3"] .key-text`)
			b.expectInSight("#detail-title")
		}
	})
}

// expectInSight waits until the first element of a selector is in the window as a whole, with
// nothing above it.
func (b *tab) expectInSight(selector string) {
	b.T.Helper()
	b.Await(fmt.Sprintf(inSight, browser.Quote(selector)))
}

func (b *tab) expectOutOfSight(selector string) {
	b.T.Helper()
	b.Await("!" + fmt.Sprintf(inSight, browser.Quote(selector)))
}

const inSight = `((e) => {
	if (!e?.checkVisibility()) return false;
	const box = e.getBoundingClientRect();
	const hit = document.elementFromPoint(box.left + Math.min(box.width, innerWidth) / 2, box.top + box.height / 2);
	return box.left >= 0 && box.top >= 0 && box.right <= innerWidth + 1 && box.bottom <= innerHeight + 1 && (e.contains(hit) || hit?.contains(e));
})(document.querySelector(%s))`

// Each state of the stream is read whole beside the page's name, on the narrowest phone.
func TestAPhoneShowsEachStateWhole(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		b := openIn(in, t, serve(t, actors.Options{}).proxy.URL+"/")
		b.Resize(360, 740)
		for _, state := range []string{"Not started", "Still connecting…", "Waiting in line", "Live, but silent", "Reconnecting…"} {
			b.Run(fmt.Sprintf(`document.getElementById('state-text').textContent = %s`, browser.Quote(state)))
			if !browser.Value[bool](b.Tab, `((text) => text.scrollWidth <= text.clientWidth)(document.getElementById('state-text'))`) {
				t.Errorf("%s is cut off", state)
			}
		}
	})
}

// On a phone an opened message lies above all else: that the stream has ended is said all the same.
func TestAPhoneSaysBehindAnOpenedMessageThatTheStreamEnded(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.Resize(360, 740)
	b.AwaitState("live")
	s.publish(completed, "primary.a", `{"a":1}`)
	b.awaitRows("primary.a")
	b.Click(".body .row:not([hidden])")
	b.Await(`!document.getElementById('detail').hidden`)
	s.broker.CloseChannels()
	b.AwaitText("#toast", "The message broker went away")
}

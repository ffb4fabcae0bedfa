package inspector

import (
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/browser"
)

// Everything can be done without a mouse.
func TestTheKeyboardIsEnough(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+stoppedLink(completed, "#"))
	b.letter("s")
	b.AwaitState("live")
	s.publish(completed, "primary.a", `{"taskId":"abc"}`)
	s.publish(completed, "primary.b", `{}`)
	b.awaitRows("primary.b", "primary.a")

	b.letter("/")
	b.press("abc")
	b.awaitRows("primary.a")
	b.press(kb.Escape) // what the field holds is gone
	b.awaitRows("primary.b", "primary.a")
	b.press(kb.Escape) // and now the focus

	b.letter("m")
	b.press(kb.ArrowDown)
	b.enter()
	b.AwaitText("#detail", "primary.")
	b.Await(`document.getElementById('detail').contains(document.activeElement)`)
	b.press(kb.Escape)
	b.Await(`document.getElementById('detail').hidden`)

	b.letter("p")
	b.Await(`document.getElementById('pause').ariaPressed === 'true'`)
	b.letter("p")
	b.Await(`document.getElementById('pause').ariaPressed === 'false'`)

	b.letter("?")
	b.Await(`document.getElementById('help-dialog').open`)
	b.press(kb.Escape)
	b.Await(`!document.getElementById('help-dialog').open`)

	b.letter("s")
	b.AwaitState("stopped")
}

// Whose hands or speech software press keys unasked turns the shortcuts off.
func TestSingleKeysCanBeTurnedOff(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+stoppedLink(completed, "#"))
	b.Click("#help")
	b.Click("#keys-on")
	b.Click("#help-close")
	b.letter("s")
	b.Click("#start") // the first thing that starts it
	b.AwaitState("live")
	b.letter("s")
	b.letter("?")
	if browser.Value[bool](b.Tab, `document.getElementById('help-dialog').open`) {
		t.Error("a key is a shortcut still")
	}
	b.AwaitState("live")
	if n := s.connects.Load(); n != 1 {
		t.Errorf("%d streams were opened", n)
	}
}

package inspector

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	protocol "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/browser"
)

// What is on the page can be taken away as files: all that the filter lets
// through, numbers digit by digit.
func TestMessagesAreDownloadedAsJSONAndNDJSON(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.AwaitState("live")
	for _, key := range []string{"primary.a", "primary.b", "other"} {
		s.publish(completed, key, `{"big":12345678901234567890}`)
	}
	b.awaitReceived(3)
	b.Fill("#filter", "key:primary")
	b.awaitRows("primary.b", "primary.a")

	var array []saved
	if err := json.Unmarshal(b.download("json"), &array); err != nil {
		t.Fatal(err)
	}
	expectSaved(t, array)
	var lines []saved
	for line := range strings.Lines(string(b.download("ndjson"))) {
		var one saved
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, one)
	}
	expectSaved(t, lines)
}

// saved is a message in a file.
type saved struct {
	Received   time.Time       `json:"received"`
	RoutingKey string          `json:"routingKey"`
	Payload    json.RawMessage `json:"payload"`
}

func expectSaved(t *testing.T, list []saved) {
	t.Helper()
	var keys []string
	for _, m := range list {
		keys = append(keys, m.RoutingKey)
		if string(m.Payload) != `{"big":12345678901234567890}` || m.Received.IsZero() {
			t.Errorf("saved %+v", m)
		}
	}
	if got := strings.Join(keys, " "); got != "primary.b primary.a" && got != "primary.a primary.b" {
		t.Errorf("saved %s", got)
	}
}

// download chooses a form in the menu and returns the file's content.
func (b *tab) download(form string) []byte {
	b.T.Helper()
	folder := b.T.TempDir()
	b.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, protocol.SetDownloadBehavior, protocol.SetDownloadBehaviorParams{
			Behavior: protocol.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
			BrowserContextID: chromedp.FromContext(b.Context).BrowserContextID,
		})
		return err
	}))
	b.Click("#download")
	b.Click(`#download-menu [data-form="` + form + `"]`)
	for deadline := time.Now().Add(browser.Patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		// Chromium holds the name with an empty file, and puts the whole one in
		// its place, which has .crdownload behind its name until then.
		files, _ := filepath.Glob(filepath.Join(folder, "*."+form))
		if len(files) == 0 {
			continue
		}
		content, err := os.ReadFile(files[0])
		if err != nil {
			b.T.Fatal(err)
		}
		if len(content) > 0 {
			return content
		}
	}
	b.T.Fatalf("no file came within %v", browser.Patience)
	return nil
}

// A payload, and the code, can be copied.
func TestAPayloadAndTheCodeAreCopied(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.AwaitState("live")
	s.publish(completed, "primary.a", `{"taskId":"abc"}`)
	b.awaitRows("primary.a")
	b.Click(".body .row:not([hidden])")
	b.Click(".payload-head button:last-child")
	b.AwaitText("#toast", "Copied the payload")
	if got := b.pasted(); !strings.Contains(got, `"taskId"`) || !strings.Contains(got, `"abc"`) {
		t.Errorf("copied %q", got)
	}
	b.Click("#tab-code")
	b.Click("#copy-code")
	b.AwaitText("#toast", " code")
	want := strings.Fields(b.text("#snippet"))
	b.Click("#tab-messages")
	if got := strings.Fields(b.pasted()); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("copied %q, the page shows %q", got, want)
	}
}

// pasted returns what a person gets who pastes into the filter, which is empty
// again afterwards.
func (b *tab) pasted() string {
	b.T.Helper()
	b.Run(`document.getElementById('filter').select()`)
	b.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{
			Type: input.DispatchKeyEventTypeKeyDown, Key: "v", Code: "KeyV", Modifiers: 2, Commands: []string{"Paste"},
		})
		return err
	}))
	b.Await(`document.getElementById('filter').value !== ''`)
	got := browser.Value[string](b.Tab, `document.getElementById('filter').value`)
	b.paste("#filter", "")
	return got
}

// In a large payload a word is found, folded away or not.
func TestAWordIsFoundInAPayload(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.AwaitState("live")
	s.publish(completed, "primary.a", `{"a":{"b":{"c":{"d":{"needle":1}}}},"list":[{"x":"a needle too"}]}`)
	b.awaitRows("primary.a")
	b.Click(".body .row:not([hidden])")
	b.Fill(".payload-search input", "needle")
	b.AwaitText(".payload-search", "1 of 2")
	b.Await(`document.querySelector('.hit')?.checkVisibility() && document.querySelector('.hit').textContent.includes('needle')`)
	b.press("\r")
	b.AwaitText(".payload-search", "2 of 2")
	b.Fill(".payload-search input", "absent")
	b.AwaitText(".payload-search", "nothing")
}

// The chart shows what has come, to eyes and to screen readers.
func TestTheChartShowsTheLastMinutes(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+link(completed, "#", failed, "#"))
	b.AwaitState("live")
	for range 3 {
		s.publish(completed, "primary.a", `{}`)
	}
	s.publish(failed, "primary.a", `{}`)
	b.Await(`document.getElementById('chart').ariaLabel.includes(': 4 in all')`)
	b.Await(`[...document.querySelectorAll('#chart-bars .bars')].filter((bars) => bars.getAttribute('d')).length === 2`) // a colour each
}

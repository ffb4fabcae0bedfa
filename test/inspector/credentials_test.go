package inspector

import (
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/browser"
)

// A page behind basic authentication may be opened as https://user:password@host/: streams open,
// and neither the code nor the link that people pass on holds the credentials.
func TestThePageNeitherBreaksOnCredentialsNorPassesThemOn(t *testing.T) {
	s := serve(t, actors.Options{})
	s.declare("exchange/taskcluster-queue/v1/task-pending", "exchange/taskcluster-queue/v1/task-running", "exchange/taskcluster-queue/v1/task-exception")
	b := open(t, strings.Replace(s.proxy.URL+"/", "http://", "http://ada:hunter2@", 1))
	b.Click("#examples button")
	b.AwaitState("live")
	b.Click("#tab-code")
	for _, language := range []string{"browser", "node", "go", "curl"} {
		b.Click("#language-" + language)
		if code := b.text("#snippet"); strings.Contains(code, "hunter2") || !strings.Contains(code, "/api/events/v1/connect/") {
			t.Errorf("%s: %s", language, code)
		}
	}
	if all := browser.Value[string](b.Tab, "document.documentElement.outerHTML"); strings.Contains(all, "hunter2") {
		t.Error("the page holds the password")
	}
}

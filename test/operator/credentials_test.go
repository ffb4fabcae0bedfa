package operator

import (
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/browser"
)

// A page behind basic authentication may be opened as https://user:password@host/: it works, and
// shows nothing of the credentials.
func TestThePageWorksUnderAnAddressWithCredentials(t *testing.T) {
	s := serve(t, false, actors.Options{})
	c := s.connect("a.#")
	b := suite.Open(t)
	b.Visit(strings.Replace(s.url, "http://", "http://ada:hunter2@", 1))
	b.AwaitState("live")
	b.Click(row(c) + " .end")
	b.Click("#confirm .danger")
	c.told(actors.ServerShutdown)
	if all := browser.Value[string](b, "document.documentElement.outerHTML"); strings.Contains(all, "hunter2") {
		t.Error("the page holds the password")
	}
}

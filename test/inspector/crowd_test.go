package inspector

import (
	"net/http/httptest"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/browser"
)

// noCrowd is whether a tab says nothing of another that would not load.
const noCrowd = `!document.getElementById('crowd').checkVisibility()`

// Over plain HTTP a browser opens six connections to a server: the seventh tab that listens is told
// why nothing comes, and what to do; the sixth, that another tab would not even load.
func TestTheSeventhTabExplainsItself(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in browser.Browser) {
		s := serve(t, actors.Options{})
		tabs := []*tab{openIn(in, t, s.proxy.URL+stoppedLink(completed, "#"))}
		for range 6 {
			tabs = append(tabs, tabs[0].openBeside(s.proxy.URL+stoppedLink(completed, "#")))
		}
		for i, b := range tabs[:6] {
			if !browser.Value[bool](b.Tab, noCrowd) {
				t.Errorf("with %d streams a tab says that there is no room", i)
			}
			b.Click("#start")
			b.AwaitState("live")
		}
		tabs[5].Await("!" + noCrowd)
		tabs[0].Await("!" + noCrowd)

		seventh := tabs[6]
		seventh.Click("#start")
		seventh.AwaitText("#notice", "Six tabs listen already")
		seventh.AwaitText("#notice", "close one of those tabs")
		seventh.AwaitState("crowded")
		seventh.Await(`document.getElementById('count-open').textContent === '–'`)

		tabs[0].Click("#stop")
		seventh.AwaitState("live")
		seventh.Await(`document.getElementById('notice').hidden`)
		tabs[1].Await("!" + noCrowd)
		tabs[2].Click("#stop")
		tabs[1].Await(noCrowd)
		s.publish(completed, "primary.a", `{}`)
		seventh.awaitRows("primary.a")
	})
}

// HTTP/2 carries any number of streams on one connection: there, seven tabs are no crowd.
func TestOverHTTP2SevenTabsListen(t *testing.T) {
	s := serve(t, actors.Options{})
	front := httptest.NewUnstartedServer(s.proxy.Handler)
	front.EnableHTTP2 = true
	front.StartTLS()
	t.Cleanup(front.Close)
	first := openIn(suite.Firefox(), t, front.URL+link(completed, "#")) // it takes any certificate
	first.AwaitState("live")
	for range 6 {
		first.openBeside(front.URL + link(completed, "#")).AwaitState("live")
	}
	if browser.Value[bool](first.Tab, `import('/inspector/inspector/crowd.js').then(({crowded}) => crowded())`) {
		t.Error("the browser is said to have no connection left")
	}
	first.Await(noCrowd)
	s.publish(completed, "primary.a", `{}`)
	first.awaitRows("primary.a")
}

package browser

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// The main job, in the client it is made for: ready, a message, a sign of life,
// close; and the broker keeps nothing of it.
func TestPageReceivesMessages(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in Browser) {
		s := visit(t, in, actors.Options{PingPeriod: 500 * time.Millisecond})
		s.show(s.page, listenTo(s.stream(exchange, "primary.#")))
		s.await(t, "seen('ready')")
		s.publish(t, "primary.x", `{"taskId":"a"}`)
		s.await(t, "seen('message')")
		s.await(t, "log.filter((e) => e.name === 'ping').length > 2") // not the first thing on a stream alone

		entries := slices.DeleteFunc(s.log(), func(e entry) bool { return e.Name == "ping" })
		if got, want := names(entries), "open ready message"; got != want {
			t.Fatalf("the page has seen %q, not %q", got, want)
		}
		var data struct {
			Payload    struct{ TaskID string }
			Exchange   string
			RoutingKey string
		}
		message := *entries[2].Data
		if err := json.Unmarshal([]byte(message), &data); err != nil {
			t.Fatal(err)
		}
		if data.Payload.TaskID != "a" || data.Exchange != exchange || data.RoutingKey != "primary.x" {
			t.Errorf("the page has received %s", message)
		}

		s.tab.Run("source.close()")
		if err := s.broker.Await(t.Context(), func() bool { return len(s.broker.Queues()) == 0 }); err != nil {
			t.Errorf("the queue is still there: %v", err)
		}
	})
}

// A browser comes back by itself after every end of a stream, for ever. What
// stops it is our 204: it comes back once, and stays away.
func TestPageStaysAwayAfterAnError(t *testing.T) {
	type visited struct {
		*site
		name string
		end  end
	}
	var sites []visited
	for _, in := range suite.Browsers() {
		for name, end := range ends {
			s := visit(t, in, actors.Options{})
			sites = append(sites, visited{s, in.Name + "/" + name, end})
			end.bring(t, s)
		}
	}
	for _, s := range sites {
		s.await(t, "seen('error')")
		s.await(t, "closed()")
	}
	<-time.After(10 * time.Second) // the silence that is the claim
	for _, s := range sites {
		t.Run(s.name, func(t *testing.T) {
			if requests, want := s.asked(), []request{{"GET", "", 200}, {"GET", "-", 204}}; !slices.Equal(requests, want) {
				t.Errorf("the browser has asked %+v, not %+v", requests, want)
			}
			s.toldOnce(t, s.end.code)
		})
	}
}

// end is a way for a page's stream to end with an error of a code.
type end struct {
	code  string
	bring func(*testing.T, *site)
}

var ends = map[string]end{
	"bad bindings": {"InvalidBindings", func(t *testing.T, s *site) {
		s.show(s.page, listenTo(s.proxy.URL+"/api/events/v1/connect/?bindings=nonsense"))
	}},
	"bad bindings, with a polyfill that sends the id in the query": {"InvalidBindings", func(t *testing.T, s *site) {
		s.show(s.page, load("/polyfill.js"))
		s.tab.Run(fmt.Sprintf("listen(%q, EventSourcePolyfill)", s.proxy.URL+"/v1/connect?bindings=nonsense"))
	}},
	"an exchange that is not there": {"BindingRefused", func(t *testing.T, s *site) {
		s.show(s.page, listenTo(s.stream("exchange/none", "#")))
	}},
	"broker away at connect": {"BrokerUnavailable", func(t *testing.T, s *site) {
		s.broker.Stop()
		s.show(s.page, listenTo(s.stream(exchange, "#")))
	}},
	"broker lost under the stream": {"BrokerLost", func(t *testing.T, s *site) {
		s.show(s.page, listenTo(s.stream(exchange, "#")))
		s.await(t, "seen('ready')")
		s.broker.DropLinks()
	}},
	"the server shuts down": {"ServerShutdown", func(t *testing.T, s *site) {
		s.show(s.page, listenTo(s.stream(exchange, "#")))
		s.await(t, "seen('ready')")
		if err := s.proxy.Drain(t.Context(), 0); err != nil {
			t.Error(err)
		}
	}},
}

func (s *site) toldOnce(t *testing.T, code string) {
	t.Helper()
	if told := s.told(); len(told) != 1 || !strings.Contains(told[0], fmt.Sprintf(`"code":%q`, code)) {
		t.Errorf("the page was told %q, not %s once", told, code)
	}
}

// told returns the data of the errors that the page was told.
func (s *site) told() (told []string) {
	s.tab.T.Helper()
	for _, e := range s.log() {
		if e.Name == "error" && e.Data != nil {
			told = append(told, *e.Data)
		}
	}
	return told
}

// After an end that will pass the page goes on with an EventSource of its own:
// a new one knows no last id, so no 204 is in its way.
func TestPageGoesOnAfterARetryableError(t *testing.T) {
	suite.Everywhere(t, func(t *testing.T, in Browser) {
		s := visit(t, in, actors.Options{})
		s.show(s.page, listenTo(s.stream(exchange, "#")))
		s.await(t, "seen('ready')")
		s.tab.Run(`source.addEventListener('error', ({data}) => {
			if (data === undefined || !JSON.parse(data).retryable) return
			source.close()
			log.length = 0
			globalThis.again = true
			` + listenTo(s.stream(exchange, "#")) + `
		})`)
		s.broker.CloseChannels()
		s.await(t, "globalThis.again")
		s.receives(t)
		if requests := s.asked(); !slices.Equal(requests, []request{{"GET", "", 200}, {"GET", "", 200}}) {
			t.Errorf("the browser has asked %+v", requests)
		}
	})
}

// Pages of other origins are who reads the service; a polyfill's Cache-Control
// header makes the browser ask for permission first.
func TestPageOfAnotherOriginReceivesMessages(t *testing.T) {
	const polyfilled = "listen(%q, EventSourcePolyfill, {headers: {'Cache-Control': 'no-cache'}})"
	for name, client := range map[string]struct {
		library, listen string
		asks            []request
	}{
		"with the browser's own EventSource":       {"", "listen(%q)", []request{{"GET", "", 200}}},
		"with a polyfill that sends Cache-Control": {"/polyfill.js", polyfilled, []request{{"OPTIONS", "", 204}, {"GET", "", 200}}},
		"with fetch": {"", fetching, []request{{"OPTIONS", "", 204}, {"GET", "", 200}}},
	} {
		t.Run(name, func(t *testing.T) {
			suite.Everywhere(t, func(t *testing.T, in Browser) {
				s := visit(t, in, actors.Options{})
				s.tab.Visit(s.elsewhere(t))
				if client.library != "" {
					s.tab.Run(load(client.library))
				}
				s.tab.Run(fmt.Sprintf(client.listen, s.stream(exchange, "#")))
				s.receives(t)
				if requests := s.asked(); !slices.Equal(requests, client.asks) {
					t.Errorf("the browser has asked %+v", requests)
				}
			})
		})
	}
}

// fetching reads the stream as polyfills on fetch do, into the page's log.
const fetching = `(async () => {
	const response = await fetch(%q, {headers: {'Cache-Control': 'no-cache', 'Accept': 'text/event-stream'}})
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
	for (;;) {
		const {value, done} = await reader.read()
		if (done) return
		for (const [, name] of value.matchAll(/^event: (.*)$/gm)) log.push({name})
	}
})(), 0`

func (s *site) receives(t *testing.T) {
	t.Helper()
	s.await(t, "seen('ready')")
	s.publish(t, "primary.x", `{"taskId":"a"}`)
	s.await(t, "seen('message')")
}

func listenTo(url string) string { return fmt.Sprintf("listen(%q)", url) }

// load adds a script to the page and waits for it.
func load(src string) string {
	return fmt.Sprintf(`new Promise((resolve, reject) => {
		const script = document.createElement('script')
		script.onload = () => resolve(true); script.onerror = reject; script.src = %q
		document.head.append(script)
	})`, src)
}

func names(entries []entry) string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Name)
	}
	return strings.Join(out, " ")
}

package browser

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/taskcluster/events-proxy/actors"
)

// The main job, in the client it is made for: ready, a message, close; and the
// broker keeps nothing of it.
func TestPageReceivesMessages(t *testing.T) {
	s := visit(t, actors.Options{})
	s.show(t, s.page, listenTo(s.stream(exchange, "primary.#")))
	s.await(t, "seen('ready')")
	s.publish(t, "primary.x", `{"taskId":"a"}`)
	s.await(t, "seen('message')")

	var data struct {
		Payload    struct{ TaskID string }
		Exchange   string
		RoutingKey string
	}
	entries := s.log(t)
	last := entries[len(entries)-1]
	if err := json.Unmarshal([]byte(*last.Data), &data); err != nil {
		t.Fatal(err)
	}
	if data.Payload.TaskID != "a" || data.Exchange != exchange || data.RoutingKey != "primary.x" {
		t.Errorf("the page has received %s", *last.Data)
	}
	if got, want := names(entries), "open ping ready message"; got != want {
		t.Errorf("the page has seen %q, not %q", got, want)
	}

	s.run(t, evaluate("source.close()"))
	if err := s.broker.Await(t.Context(), func() bool { return len(s.broker.Queues()) == 0 }); err != nil {
		t.Errorf("the queue is still there: %v", err)
	}
}

// A browser comes back by itself after every end of a stream, for ever. What
// stops it is our 204: it comes back once, and stays away.
func TestPageStaysAwayAfterAnError(t *testing.T) {
	sites := map[string]*site{}
	for name, end := range ends {
		s := visit(t, actors.Options{})
		sites[name] = s
		end.bring(t, s)
	}
	for _, s := range sites {
		s.await(t, "seen('error')")
		s.await(t, "closed()")
	}
	<-time.After(10 * time.Second) // the silence that is the claim
	for name, s := range sites {
		t.Run(name, func(t *testing.T) {
			if requests, want := s.asked(), []request{{"GET", "", 200}, {"GET", "-", 204}}; !slices.Equal(requests, want) {
				t.Errorf("the browser has asked %+v, not %+v", requests, want)
			}
			s.toldOnce(t, ends[name].code)
		})
	}
}

// ends are ways for a page's stream to end with an error of a code.
var ends = map[string]struct {
	code  string
	bring func(*testing.T, *site)
}{
	"bad bindings": {"InvalidBindings", func(t *testing.T, s *site) {
		s.show(t, s.page, listenTo(s.proxy.URL+"/api/events/v1/connect/?bindings=nonsense"))
	}},
	"bad bindings, with a polyfill that sends the id in the query": {"InvalidBindings", func(t *testing.T, s *site) {
		s.run(t, chromedp.Navigate(s.page), load("/polyfill.js"))
		s.run(t, evaluate("listen(%q, EventSourcePolyfill)", s.proxy.URL+"/v1/connect?bindings=nonsense"))
	}},
	"broker away at connect": {"BrokerUnavailable", func(t *testing.T, s *site) {
		s.broker.Stop()
		s.show(t, s.page, listenTo(s.stream(exchange, "#")))
	}},
	"broker lost under the stream": {"BrokerLost", func(t *testing.T, s *site) {
		s.show(t, s.page, listenTo(s.stream(exchange, "#")))
		s.await(t, "seen('ready')")
		s.broker.DropLinks()
	}},
}

func (s *site) toldOnce(t *testing.T, code string) {
	t.Helper()
	var told []string
	for _, e := range s.log(t) {
		if e.Name == "error" && e.Data != nil {
			told = append(told, *e.Data)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0], fmt.Sprintf(`"code":%q`, code)) {
		t.Errorf("the page was told %q, not %s once", told, code)
	}
}

// Pages of other origins are who reads the service; a polyfill's Cache-Control
// header makes the browser ask for permission first.
func TestPageOfAnotherOriginReceivesMessages(t *testing.T) {
	t.Run("with the browser's own EventSource", func(t *testing.T) {
		t.Parallel()
		s := visit(t, actors.Options{})
		s.show(t, s.elsewhere(t), listenTo(s.stream(exchange, "#")))
		s.receives(t)
		if requests := s.asked(); !slices.Equal(requests, []request{{"GET", "", 200}}) {
			t.Errorf("the browser has asked %+v", requests)
		}
	})
	t.Run("with a polyfill that sends Cache-Control", func(t *testing.T) {
		t.Parallel()
		s := visit(t, actors.Options{})
		s.run(t, chromedp.Navigate(s.elsewhere(t)), load("/polyfill.js"))
		s.run(t, evaluate("listen(%q, EventSourcePolyfill, {headers: {'Cache-Control': 'no-cache'}})", s.stream(exchange, "#")))
		s.receives(t)
		if requests := s.asked(); !slices.Equal(requests, []request{{"OPTIONS", "", 204}, {"GET", "", 200}}) {
			t.Errorf("the browser has asked %+v", requests)
		}
	})
	t.Run("with fetch", func(t *testing.T) {
		t.Parallel()
		s := visit(t, actors.Options{})
		s.run(t, chromedp.Navigate(s.elsewhere(t)), evaluate(fetching, s.stream(exchange, "#")))
		s.await(t, "window.text?.includes('event: ready')")
		if requests := s.asked(); !slices.Equal(requests, []request{{"OPTIONS", "", 204}, {"GET", "", 200}}) {
			t.Errorf("the browser has asked %+v", requests)
		}
	})
}

// fetching reads the stream as polyfills on fetch do.
const fetching = `(async () => {
	const response = await fetch(%q, {headers: {'Cache-Control': 'no-cache', 'Accept': 'text/event-stream'}})
	const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
	window.text = ''
	for (;;) {
		const {value, done} = await reader.read()
		if (done) return
		window.text += value
	}
})(), 0`

func (s *site) receives(t *testing.T) {
	t.Helper()
	s.await(t, "seen('ready')")
	s.publish(t, "primary.x", `{"taskId":"a"}`)
	s.await(t, "seen('message')")
}

// evaluate runs a line of JavaScript in the page, with values put into it.
func evaluate(js string, values ...any) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(js, values...))
}

func listenTo(url string) string { return fmt.Sprintf("listen(%q)", url) }

// load adds a script to the page and waits for it.
func load(src string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`new Promise((resolve, reject) => {
		const script = document.createElement('script')
		script.onload = () => resolve(true); script.onerror = reject; script.src = %q
		document.head.append(script)
	})`, src), chromedp.EvalAwaitPromise)
}

func names(entries []entry) string {
	var out []string
	for _, e := range entries {
		out = append(out, e.Name)
	}
	return strings.Join(out, " ")
}

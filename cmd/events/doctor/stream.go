package doctor

import (
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/http/sse"
)

// stream is an open event stream. One goroutine notes when what arrives.
type stream struct {
	response *http.Response
	cancel   context.CancelFunc
	asked    time.Time
	last     time.Time    // when the last event that a check took arrived
	events   chan arrival // closed at the end
}

type arrival struct {
	sse.Event
	at time.Time
}

func (s *stream) close() {
	s.cancel()
	s.response.Body.Close()
	for range s.events { // ends with the goroutine of listen
	}
}

func (s *stream) listen(ctx context.Context) {
	defer close(s.events)
	for e, err := range sse.NewDecoder(s.response.Body).All() {
		if err != nil {
			return
		}
		select {
		case s.events <- arrival{e, time.Now()}:
		case <-ctx.Done():
			return
		}
	}
}

// next returns the next event; ended reports that there is no further one, late that none came in
// time.
func (s *stream) next(ctx context.Context, patience time.Duration) (a arrival, ended, late bool) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case a, ok := <-s.events:
		if ok {
			s.last = a.at
		}
		return a, !ok, false
	case <-timer.C:
	case <-ctx.Done():
	}
	return a, false, true
}

// bindings returns what the streams ask for: messages of the doctor's own, else those that are
// wanted.
func (v *visit) bindings() []amqp.Binding {
	if v.probe != nil && v.probe.err == nil {
		return []amqp.Binding{{Exchange: v.probe.exchange, Pattern: "#"}}
	}
	return v.options.Bindings
}

// connect returns the path and query of a stream. Without a binding it asks for an exchange that is
// nowhere, which shows the way of a stream's head all the same.
func (v *visit) connect(bindings []amqp.Binding) string {
	if len(bindings) == 0 {
		bindings = []amqp.Binding{{Exchange: "exchange/doctor/nowhere", Pattern: "#"}}
	}
	text, _ := json.Marshal(map[string]any{"bindings": bindings}) // cannot fail: strings alone
	return connectPath + "?bindings=" + url.QueryEscape(string(text))
}

const mendBuffering = "turn buffering off for the paths of streams (nginx: proxy_buffering off, and no proxy_ignore_headers X-Accel-Buffering)"

func (v *visit) urlStream(ctx context.Context) Finding {
	v.makeProbe(ctx)
	ctx, cancel := context.WithCancel(ctx)
	impatient := time.AfterFunc(v.options.Patience, cancel)
	s := &stream{cancel: cancel, asked: time.Now(), events: make(chan arrival, 64)}
	var err error
	s.response, err = v.ask(ctx, http.MethodGet, v.connect(v.bindings()), "Accept", sse.MediaType, "Accept-Encoding", "identity")
	switch {
	case !impatient.Stop():
		return fail(mendBuffering, "a stream's head does not come within %v, though other answers do: a proxy on the way waits for the whole answer (it buffers)", v.options.Patience)
	case err != nil:
		cancel()
		return fail("see the checks above", "%s", plain(err))
	}
	go s.listen(ctx)
	v.stream = s
	content, _, _ := mime.ParseMediaType(s.response.Header.Get("Content-Type")) // "" where it cannot be parsed
	if s.response.StatusCode != http.StatusOK || content != sse.MediaType {
		return notAStream(s.response.StatusCode, s.response.Status, content)
	}
	return v.passed("head", time.Since(s.asked))
}

func notAStream(status int, text, content string) Finding {
	switch status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return fail("raise EVENTS_STREAMS, EVENTS_STREAMS_PER_ADDRESS or EVENTS_CONNECTS_PER_SECOND; behind a proxy, set TRUST_PROXY, or all clients count as one address", "the service has no room for this stream: %s", text)
	case http.StatusForbidden, http.StatusUnauthorized:
		return fail("let requests to the events proxy pass, or bring what is asked for", "a stream is refused: %s", text)
	}
	return fail("have the paths under /api/events/ led to the events proxy, unchanged", "the answer is %s with %q, not an event stream", text, content)
}

func (v *visit) urlFirst(ctx context.Context) Finding {
	a, ended, late := v.stream.next(ctx, v.options.Patience)
	switch {
	case late:
		return fail(mendBuffering, "the head came, but no event within %v, and the service sends a ping at once: a proxy on the way holds events back (it buffers)", v.options.Patience)
	case ended:
		return fail("look at the log of what is in front of the events proxy", "the stream ended without an event")
	case a.Name == "error": // it is refused before a ping
		return v.notReady(a.Data)
	case a.Name != "ping":
		return fail("is it an events proxy of this version?", "the first event is %q, not a ping", a.Name)
	}
	return v.passed(a.Name, a.at.Sub(v.stream.asked))
}

// passed reports that something of the stream came. What ends at once passes every buffer: that says
// nothing of how proxies on the way treat streams.
func (v *visit) passed(what string, after time.Duration) Finding {
	if len(v.bindings()) == 0 {
		return pass("%s after %v, of a stream that ends at once", what, rounded(after))
	}
	return pass("%s after %v", what, rounded(after))
}

func (v *visit) urlReady(ctx context.Context) Finding {
	for {
		a, ended, late := v.stream.next(ctx, v.options.Patience)
		switch {
		case late:
			return fail("look at the service's log, and at its broker: run events doctor there", "the stream was not ready within %v", v.options.Patience)
		case ended:
			return fail("look at the log of what is in front of the events proxy", "the stream ended before it was ready")
		case a.Name == "error":
			return v.notReady(a.Data)
		case a.Name == "ready":
			return pass("after %v", rounded(a.at.Sub(v.stream.asked)))
		}
	}
}

// notReady explains an error event.
func (v *visit) notReady(data string) Finding {
	var e struct{ Code, Message string }
	_ = json.Unmarshal([]byte(data), &e) // without a code the last case holds
	if len(v.bindings()) == 0 && (e.Code == "BindingRefused" || e.Code == "ExchangeForbidden") {
		return skip("no exchange is known to ask for, and so not whether a proxy on the way buffers or cuts streams: name one that is there (--binding), or run this with the settings of the broker")
	}
	switch e.Code {
	case "ExchangeForbidden":
		return skip("the service's list of exchanges (EVENTS_EXCHANGES) does not have what was asked for: name one that it has (--binding)")
	case "BindingRefused":
		return fail("does the service use the broker and the virtual host of these settings? may its user read exchanges?", "the broker refuses the service the exchange: %s", e.Message)
	case "BrokerUnavailable", "BrokerLost":
		return fail("run events doctor with the service's settings, on its machine", "the service does not reach its broker: %s", e.Message)
	case "Unauthorized", "TokenExpired":
		return fail("bring a token that is valid for these bindings (--token-file, EVENTS_TOKEN), and name them (--binding)", "the service asks for a token: %s", e.Message)
	}
	return fail("look at the service's log", "%s: %s", e.Code, e.Message)
}

// urlMessage publishes one message and waits for it at the other end, also where a queue did not take
// it: that may be the queue of an earlier check, which is being deleted.
func (v *visit) urlMessage(ctx context.Context) Finding {
	if why := v.probe.unusable(); why != "" {
		return skip("%s", why)
	}
	ctx, cancel := context.WithTimeout(ctx, v.options.Patience)
	defer cancel()
	start := time.Now()
	probe := "a message that the broker has confirmed"
	switch err := v.probe.publish(ctx); {
	case amqp.KindOf(err) == amqp.Nacked:
		probe = "a message that one of the broker's queues did not take"
	case err != nil:
		return skip("the probe cannot be published: %s", plain(err))
	}
	for {
		a, ended, late := v.stream.next(ctx, v.options.Patience)
		switch {
		case late:
			return fail("does the service use the broker and the virtual host of these settings? does a proxy hold events back?", "%s did not arrive within %v", probe, v.options.Patience)
		case ended:
			return fail("look at the log of what is in front of the events proxy", "the stream ended before the message arrived")
		case a.Name == "message":
			return pass("%v from publishing to its arrival", rounded(a.at.Sub(start)))
		}
	}
}

// urlIdle watches a stream on which nothing comes but pings.
func (v *visit) urlIdle(ctx context.Context) Finding {
	if v.options.Watch < 0 {
		return skip("not watched (--watch)")
	}
	var stamps, arrivals []time.Time
	from := v.stream.last
	for until := time.Now().Add(v.options.Watch); ; {
		a, ended, late := v.stream.next(ctx, time.Until(until))
		switch {
		case late && ctx.Err() != nil:
			return skip("interrupted")
		case late:
			return steady(stamps, arrivals, v.options.Watch)
		case ended:
			idle := time.Since(v.stream.last)
			return fail("raise the idle timeout of what is in front (nginx: proxy_read_timeout) above the service's ping period, or lower EVENTS_PING_PERIOD",
				"the stream was cut after %v, %v after its last event: a proxy on the way cuts idle streams", rounded(time.Since(from)), rounded(idle))
		case a.Name == "error":
			return skip("the service itself ended the stream: %s", a.Data)
		case a.Name == "ping":
			var ping struct{ Time time.Time }
			if json.Unmarshal([]byte(a.Data), &ping) == nil {
				stamps, arrivals = append(stamps, ping.Time), append(arrivals, a.at)
			}
		}
	}
}

// steady judges the pings that came: whether they arrive as they were sent.
func steady(stamps, arrivals []time.Time, watch time.Duration) Finding {
	if len(arrivals) < 2 {
		return skip("in %v there were fewer than two pings: watch longer (--watch)", watch)
	}
	var shortest, longest time.Duration
	for i := 1; i < len(arrivals); i++ {
		sent, came := stamps[i].Sub(stamps[i-1]), arrivals[i].Sub(arrivals[i-1])
		if came < sent/4 {
			return fail(mendBuffering, "two pings that were sent %v apart came %v apart: a proxy on the way holds events back (it buffers)", rounded(sent), rounded(came))
		}
		if shortest == 0 || came < shortest {
			shortest = came
		}
		longest = max(longest, came)
	}
	return pass("watched for %v: %d pings, %v to %v apart", rounded(watch), len(arrivals), rounded(shortest), rounded(longest))
}

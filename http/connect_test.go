package httpapi

import (
	"fmt"
	"github.com/taskcluster/events-proxy/http/sse"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// The answers to connect requests, in the order of the contract's checks.

// A browser stops for good at a 204; any other end makes it come back.
func TestAReconnectIsAnswered204AndTouchesNoBroker(t *testing.T) {
	p := start(t, nil)
	for _, c := range []struct {
		path   string
		header []string
	}{
		{all, []string{"Last-Event-ID", "-"}},
		{all, []string{"Last-Event-ID", "anything"}},
		{all + "&lastEventId=-", nil},
		{all + "&lastEventId=x", nil},
		{"/v1/connect?lastEventId=-", nil},
		{connectPath("nonsense"), []string{"Last-Event-ID", "-"}},
		{all + "&" + long(33<<10), []string{"Last-Event-ID", "-"}},
	} {
		answer := p.do("GET", c.path, c.header...)
		if body := p.body(answer); answer.StatusCode != http.StatusNoContent || body != "" {
			t.Errorf("%.80s %v: %s %q", c.path, c.header, answer.Status, body)
		}
	}
	if opened := p.system.Stats().Opened; opened != 0 {
		t.Errorf("%d streams were opened", opened)
	}
}

// The rule holds before any other: a draining server tells browsers to stop.
func TestAReconnectIsAnswered204WhileDrainingToo(t *testing.T) {
	p := start(t, nil)
	if err := p.system.Drain(bounded(t), 0); err != nil {
		t.Fatal(err)
	}
	if answer := p.do("GET", all, "Last-Event-ID", "-"); answer.StatusCode != http.StatusNoContent {
		t.Error(answer.Status)
	}
}

func TestAnEmptyLastEventIDIsNoReconnect(t *testing.T) {
	p := start(t, nil)
	r := p.read(p.do("GET", all+"&lastEventId=", "Last-Event-ID", "").Body)
	r.want("ping")
	r.want("ready")
}

func TestDrainingIs503WithRetryAfter(t *testing.T) {
	p := start(t, nil)
	if err := p.system.Drain(bounded(t), 0); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{all, connectPath("nonsense"), all + "&" + long(33<<10)} {
		wantRefusal(t, p, path, http.StatusServiceUnavailable, actors.Draining)
	}
}

func wantRefusal(t *testing.T, p *proxy, path string, status int, code actors.Code) {
	t.Helper()
	answer := p.do("GET", path)
	body := decode[errorBody](t, p.body(answer))
	if answer.StatusCode != status || answer.Header.Get("Retry-After") == "" || body.Code != string(code) || body.RequestInfo.Method != "connect" {
		t.Errorf("%.80s: %s, Retry-After %q, %+v; want %d %s", path, answer.Status, answer.Header.Get("Retry-After"), body, status, code)
	}
}

// No room is told before what is wrong with the request.
func TestAtCapacityIs503WithRetryAfter(t *testing.T) {
	p := start(t, func(s *settings) { s.actors.Limits.Streams = 1 })
	p.connect()
	for _, path := range []string{all, connectPath("nonsense"), connectPath(`{"bindings":[]}`)} {
		wantRefusal(t, p, path, http.StatusServiceUnavailable, actors.AtCapacity)
	}
}

func TestTooManyStreamsOfOneAddressIs429WithRetryAfter(t *testing.T) {
	p := start(t, func(s *settings) { s.actors.Limits.StreamsPerAddress = 1 })
	p.connect()
	wantRefusal(t, p, all, http.StatusTooManyRequests, actors.TooManyStreams)
}

func TestTooManyConnectsOfOneAddressIs429WithRetryAfter(t *testing.T) {
	p := start(t, func(s *settings) { s.actors.Limits.ConnectsPerSecond = 0.01 })
	p.connect()
	wantRefusal(t, p, all, http.StatusTooManyRequests, actors.TooManyConnects)
}

// A library that does not stop at a 204 is slowed down like one that connects too often; to a
// browser either means stop.
func TestTooManyReconnectsOfOneAddressAre429(t *testing.T) {
	p := start(t, func(s *settings) { s.actors.Limits.ConnectsPerSecond = 0.01 })
	if answer := p.do("GET", all, "Last-Event-ID", "-"); answer.StatusCode != http.StatusNoContent {
		t.Errorf("the first gets %s", answer.Status)
	}
	if answer := p.do("GET", all, "Last-Event-ID", "-"); answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") == "" {
		t.Errorf("the second gets %s, Retry-After %q", answer.Status, answer.Header.Get("Retry-After"))
	}
	wantRefusal(t, p, all, http.StatusTooManyRequests, actors.TooManyConnects)
	if !strings.Contains(p.scrape(), "\nevents_http_stops_total 2") {
		t.Errorf("not counted:\n%s", p.scrape())
	}
}

func TestAURLOverTheLimitIs414AndHeadersOverItAre431(t *testing.T) {
	p := start(t, func(s *settings) { s.HeadBytes = 4 << 10 })
	for _, c := range []struct {
		path, header string
		status       int
		code         string
	}{
		{all + "&" + long(4<<10), "", http.StatusRequestURITooLong, "URITooLong"},
		{all, long(4 << 10), http.StatusRequestHeaderFieldsTooLarge, "HeadTooLarge"},
	} {
		answer := p.do("GET", c.path, "X-Long", c.header)
		if body := decode[errorBody](t, p.body(answer)); answer.StatusCode != c.status || body.Code != c.code {
			t.Errorf("%s %+v, want %d %s", answer.Status, body, c.status, c.code)
		}
	}
	if r := p.read(p.do("GET", all+"&"+long(3<<10)).Body); r.next().Name != "ping" {
		t.Error("a URL below the limit is refused")
	}
}

// A client that sends a head without end is cut off by net/http.
func TestAHeadFarOverTheLimitIs431(t *testing.T) {
	p := start(t, func(s *settings) { s.HeadBytes = 4 << 10 })
	s := p.dial(all, "X-Long", long(60<<10))
	if head := s.head(); !strings.HasPrefix(head, "HTTP/1.1 431 ") {
		t.Errorf("%q", head)
	}
}

// The bytes of a stream's head; a proxy in between must neither keep, nor
// compress, nor delay it.
func TestTheHeadOfAStreamIsTheContracts(t *testing.T) {
	p := start(t, nil)
	head := p.dial(all).head()
	lines := strings.Split(head, "\r\n")
	if lines[0] != "HTTP/1.1 200 OK" {
		t.Errorf("status line %q", lines[0])
	}
	for _, want := range []string{
		"Content-Type: text/event-stream; charset=utf-8", "Cache-Control: no-cache, no-transform", "X-Accel-Buffering: no", "X-Content-Type-Options: nosniff",
		"Access-Control-Allow-Origin: *", "Connection: close",
	} {
		if n := strings.Count(head, "\r\n"+want+"\r\n"); n != 1 {
			t.Errorf("%q is there %d times in\n%s", want, n, head)
		}
	}
	if !strings.Contains(head, "\r\nDate: ") || strings.Contains(head, "Transfer-Encoding") || strings.Contains(head, "Content-Length") {
		t.Errorf("head\n%s", head)
	}
}

func TestAClientOfHTTP10GetsAStreamToo(t *testing.T) {
	p := start(t, nil)
	s := p.dialRaw()
	io.WriteString(s, "GET "+all+" HTTP/1.0\r\n\r\n")
	if head := s.head(); !strings.HasPrefix(head, "HTTP/1.0 200 OK\r\n") {
		t.Errorf("head %q", head)
	}
	r := p.read(s.in)
	r.want("ping")
	r.want("ready")
}

// The head must not wait for the first event: a client in a browser is
// "connecting" until then. Without a broker nothing but the ping comes.
func TestTheHeadIsFlushedAtOnce(t *testing.T) {
	p := start(t, nil)
	p.broker.Freeze()
	defer p.broker.Thaw()
	s := p.dial(all)
	s.head()
	p.read(s.in).want("ping")
}

// Bad bindings are told in a stream, since a browser's EventSource can read
// neither status nor body of anything else.
func TestBadBindingsAreOneErrorEventAndTheEnd(t *testing.T) {
	p := start(t, nil)
	var hundredAndOne []string
	for i := range 101 {
		hundredAndOne = append(hundredAndOne, fmt.Sprintf(`{"exchange":"e%d","routingKeyPattern":"#"}`, i))
	}
	for _, c := range []struct{ what, path, message string }{
		{"missing", "/v1/connect", "missing"},
		{"empty", "/v1/connect?bindings=", "empty"},
		{"twice", all + "&bindings=x", "2 times"},
		{"not JSON", connectPath("{nonsense"), "at byte 2"},
		{"another key", connectPath(`{"bindings":[],"x":1}`), "The json query should have only one key i.e. `bindings`."},
		{"no array", connectPath(`{"bindings":{}}`), "Bindings must be an array of {exchange, routingKeyPattern}"},
		{"an empty array", connectPath(`{"bindings":[]}`), "at most 100"},
		{"over the limit", connectPath(`{"bindings":[` + strings.Join(hundredAndOne, ",") + `]}`), "at most 100"},
		{"a lacking field", connectPath(`{"bindings":[{"exchange":"e"}]}`), "bindings[0]: Binding must include `exchange` and `routingKeyPattern` fields"},
		{"a number", connectPath(`{"bindings":[{"exchange":1,"routingKeyPattern":"#"}]}`), "bindings[0]: exchange is not a string"},
	} {
		t.Run(c.what, func(t *testing.T) {
			p := *p
			p.t = t
			answer := p.do("GET", c.path)
			if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != sse.ContentType {
				t.Fatalf("%s %v", answer.Status, answer.Header)
			}
			body := p.body(answer)
			if strings.Count(body, "event: ") != 1 || strings.Count(body, "\n") != 4 || !strings.HasSuffix(body, "\nid: -\n\n") {
				t.Errorf("not exactly one frame: %q", body)
			}
			message := p.read(strings.NewReader(body)).wantError(actors.InvalidBindings)
			if !strings.Contains(message, c.message) {
				t.Errorf("message %q, want %q", message, c.message)
			}
		})
	}
	if opened := p.system.Stats().Opened; opened != 0 {
		t.Errorf("%d streams were opened", opened)
	}
}

func TestAnExchangeOffTheOperatorsListIsForbidden(t *testing.T) {
	p := start(t, func(s *settings) { s.actors.AllowExchanges = []string{"exchange/public/*"} })
	p.read(p.do("GET", all).Body).wantError(actors.ExchangeForbidden)
}

// A hundred and one elements that are a hundred bindings are within the limit.
func TestEqualBindingsCountOnce(t *testing.T) {
	p := start(t, func(s *settings) { s.actors.Limits.Bindings = 1 })
	one := `{"exchange":"` + exchange + `","routingKeyPattern":"#","routingKeyReference":"ignored"}`
	r := p.read(p.do("GET", connectPath(`{"bindings":[`+one+`,`+one+`]}`)).Body)
	r.want("ping")
	r.want("ready")
	p.publish("a", `{"n":1}`)
	r.want("message")
	p.publish("a", `{"n":2}`)
	if data := r.want("message"); !strings.Contains(data, `"n":2`) {
		t.Errorf("a message came twice: %s", data)
	}
}

package httpapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The contract of the events, as a client sees it.

// Without an id from the first byte on, a browser would reconnect for ever
// while the broker is down.
func TestTheFirstEventIsAPingWithTheIDThatStopsReconnects(t *testing.T) {
	p := start(t, nil)
	r := p.read(p.do("GET", all).Body)
	e := r.next()
	at, err := time.Parse(time.RFC3339, decode[struct{ Time string }](t, e.Data).Time)
	if e.Name != "ping" || e.ID != "-" || err != nil || time.Since(at).Abs() > time.Hour || !strings.HasSuffix(e.Data, `Z"}`) {
		t.Errorf("got %q, %v", e, err)
	}
}

func TestPingsGoOn(t *testing.T) {
	p := start(t, func(s *settings) { s.actors.PingPeriod = 10 * time.Millisecond })
	r := p.read(p.do("GET", all).Body)
	for pings := 0; pings < 4; {
		switch e := r.next(); e.Name {
		case "ping":
			pings++
		case "ready": // pings may come before it
		default:
			t.Fatalf("got %q", e)
		}
	}
}

func TestAMessageIsTheContractsJSONOnOneLine(t *testing.T) {
	p := start(t, nil)
	r := p.connect()
	body := "{\n\t\"status\": {\"n\": 1.0e400, \"s\": \"<&>\\n\"}\n}"
	m := amqp.Message{Body: []byte(body), CC: []string{"route.project.foo", "other", "route.b"}}
	if err := p.pub.Publish(bounded(t), exchange, "primary.x.y", m); err != nil {
		t.Fatal(err)
	}
	want := `{"payload":{"status":{"n":1.0e400,"s":"<&>\n"}},"exchange":"` + exchange + `","routingKey":"primary.x.y","redelivered":false,"routes":["project.foo","b"]}`
	if got := r.want("message"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAMessageWithoutRoutesHasAnEmptyArray(t *testing.T) {
	p := start(t, nil)
	r := p.connect()
	p.publish("a", `1`)
	if got := r.want("message"); !strings.HasSuffix(got, `"routes":[]}`) {
		t.Error(got)
	}
}

func TestABodyThatIsNotJSONIsAString(t *testing.T) {
	p := start(t, nil)
	r := p.connect()
	for _, c := range []struct{ body, payload, encoding string }{
		{"hello\r\nworld", "hello\r\nworld", "utf-8"}, {"", "", "utf-8"}, {"\xff\x00", "/wA=", "base64"},
	} {
		p.publish("a", c.body)
		var got struct{ Payload, PayloadEncoding string }
		if err := json.Unmarshal([]byte(r.want("message")), &got); err != nil {
			t.Fatal(err)
		}
		if got.Payload != c.payload || got.PayloadEncoding != c.encoding {
			t.Errorf("%q: got %+v", c.body, got)
		}
	}
}

func TestMessagesComeInOrderAndNoneIsMissing(t *testing.T) {
	t.Parallel()
	for _, hijack := range []bool{true, false} {
		for _, share := range []bool{true, false} {
			t.Run(fmt.Sprintf("hijack %v, shared queues %v", hijack, share), func(t *testing.T) {
				p := start(t, func(s *settings) { s.NoHijack, s.actors.ShareQueues = !hijack, share })
				const clients, messages = 20, 500
				var readers sync.WaitGroup
				for range clients {
					r := p.connect()
					readers.Go(func() { r.wantNumbers(messages) })
				}
				for i := range messages {
					p.publish("a", fmt.Sprintf(`{"n":%d}`, i))
				}
				readers.Wait()
			})
		}
	}
}

// wantNumbers reads messages that count up from 0.
func (r *reader) wantNumbers(messages int) {
	for i := range messages {
		e, err := r.Next()
		if err != nil || !strings.Contains(e.Data, fmt.Sprintf(`{"n":%d}`, i)) {
			r.t.Errorf("instead of message %d: %q, %v", i, e, err)
			return
		}
	}
}

func TestALargeMessageArrivesWhole(t *testing.T) {
	t.Parallel()
	for _, hijack := range []bool{true, false} {
		p := start(t, func(s *settings) { s.NoHijack = !hijack })
		r := p.connect()
		body := `"` + long(10<<20) + `"`
		p.publish("a", `1`, body, `2`)
		r.want("message")
		if got := r.want("message"); !strings.HasPrefix(got, `{"payload":`+body+`,`) {
			t.Errorf("%d bytes, starting %.50q", len(got), got)
		}
		r.want("message")
	}
}

// Each cause of an end that has a code, with what the client is told.
func TestAStreamsEndIsToldWithItsCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code  actors.Code
		cause func(p *proxy)
	}{
		{actors.BrokerLost, func(p *proxy) { p.broker.DropLinks() }},
		{actors.BrokerLost, func(p *proxy) { p.broker.CloseChannels() }},
		{actors.QueueDeleted, func(p *proxy) { p.deleteQueue() }},
		{actors.ServerShutdown, func(p *proxy) { go p.system.Drain(p.t.Context(), 0) }},
		{actors.InternalError, func(p *proxy) { p.system.Crash(actors.RoleConnections, "") }},
	} {
		for _, hijack := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, hijack %v", c.code, hijack), func(t *testing.T) {
				p := start(t, func(s *settings) { s.NoHijack = !hijack })
				r := p.connect()
				c.cause(p)
				r.wantError(c.code)
				p.gone()
			})
		}
	}
}

func TestAnUnknownExchangeIsToldByNameAndNotReady(t *testing.T) {
	p := start(t, nil)
	r := p.read(p.do("GET", connectPath(`{"bindings":[{"exchange":"exchange/none","routingKeyPattern":"#"}]}`)).Body)
	r.want("ping")
	told := decode[toldError](t, r.want("error"))
	if told.Code != actors.BindingRefused || told.Retryable || !strings.Contains(told.Message, `"exchange/none"`) {
		t.Errorf("%+v", told)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
	p.gone()
}

func TestABrokerThatIsDownIsToldAfterThePing(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	p.broker.Stop()
	await(t, "the link's loss", func() bool { return !p.system.Health().BrokerUp })
	r := p.read(p.do("GET", all).Body)
	r.want("ping")
	r.wantError(actors.BrokerUnavailable)
}

// A bad request must not touch the streams that run.
func TestABadRequestLeavesOtherStreamsAlone(t *testing.T) {
	p := start(t, nil)
	r := p.connect()
	for range 10 {
		p.read(p.do("GET", connectPath("nonsense")).Body).wantError(actors.InvalidBindings)
	}
	p.publish("a", `1`)
	r.want("message")
}

func TestAClientThatLeavesTakesItsQueueAlong(t *testing.T) {
	for _, hijack := range []bool{true, false} {
		p := start(t, func(s *settings) { s.NoHijack = !hijack })
		answer := p.do("GET", all)
		r := p.read(answer.Body)
		r.want("ping")
		r.want("ready")
		answer.Body.Close()
		p.gone()
		if ended := p.system.Stats().Ended[actors.ClientGone]; ended != 1 {
			t.Errorf("%d streams ended with ClientGone", ended)
		}
	}
}

// A client that leaves before ready, or in the middle of a burst, leaves
// nothing behind.
func TestClientsThatLeaveAtAnyTimeLeaveNothingBehind(t *testing.T) {
	p := start(t, nil)
	var clients sync.WaitGroup
	for i := range 50 {
		clients.Go(func() {
			s := p.dial(all)
			defer s.Close()
			for range i % 5 {
				if _, err := s.in.ReadString('\n'); err != nil {
					return
				}
			}
		})
	}
	p.publish("a", strings.Split(strings.Repeat(`1 `, 100), " ")...)
	clients.Wait()
	p.gone()
}

func TestARefusedStreamIsCountedByItsCode(t *testing.T) {
	p := start(t, nil)
	p.body(p.do("GET", connectPath("nonsense")))
	recorded := p.scrape()
	if !strings.Contains(recorded, `events_http_refusals_total{code="InvalidBindings"} 1`) {
		t.Error(recorded)
	}
}

// scrape returns the operator's metrics.
func (p *proxy) scrape() string {
	p.t.Helper()
	w := newRecorder()
	r, _ := http.NewRequest("GET", "http://127.0.0.1:1/metrics", nil)
	p.handler.Operator().ServeHTTP(w, r)
	return w.Body.String()
}

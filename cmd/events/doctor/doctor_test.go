package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/config"
	"github.com/taskcluster/events-proxy/http/proxytest"
	"github.com/taskcluster/events-proxy/http/sse"
)

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// examined is the report, and what is shown of it.
func examined(t *testing.T, o Options) (Report, string) {
	t.Helper()
	var shown strings.Builder
	lines := Lines{Out: &shown}
	report := Examine(t.Context(), o, lines.Tell)
	lines.Flush()
	return report, shown.String()
}

// names checks that there is one failure, of this check, whose cause says so; no other check of the
// same thing turns red with it.
func names(t *testing.T, o Options, check, cause string) (shown string) {
	t.Helper()
	report, shown := examined(t, o)
	var failed []string
	for _, f := range report {
		if f.Verdict != Fail {
			continue
		}
		failed = append(failed, f.Check)
		if f.Check == check && (!strings.Contains(f.Cause, cause) || f.Mend == "") {
			t.Errorf("the cause is %q, the mend %q", f.Cause, f.Mend)
		}
	}
	if len(failed) != 1 || failed[0] != check {
		t.Errorf("failed: %v, want %s\n%s", failed, check, shown)
	}
	return shown
}

// Each way to a broker that is wrong is named, and only that: its reader has one thing to mend.
func TestWhatIsWrongOnTheWayToTheBrokerIsNamed(t *testing.T) {
	tomorrow := time.Now().Add(24 * time.Hour)
	behind := func(t *testing.T, name string, until time.Time, trusted bool) Options {
		c, ca := certificate(t, name, until)
		query := ""
		if trusted {
			query = "?cacertfile=" + ca
		}
		return at(t, "amqps://ada:hunter2@"+secured(t, mute(t), c)+"/"+query)
	}
	for _, row := range []struct {
		name, check, cause string
		options            func(t *testing.T) Options
	}{
		{"wrong port", "broker.tcp", "nothing listens", func(t *testing.T) Options { return at(t, "amqp://ada:hunter2@"+closed(t)) }},
		{"mute", "broker.amqp", "does not answer in AMQP", func(t *testing.T) Options {
			return at(t, "amqp://ada:hunter2@"+mute(t)+"/?connection_timeout=1000")
		}},
		{"mute, with TLS", "broker.tls", "does not answer the TLS handshake", func(t *testing.T) Options {
			return at(t, "amqps://ada:hunter2@"+mute(t)+"/?connection_timeout=1000")
		}},
		{"expired certificate", "broker.tls", "not valid now", func(t *testing.T) Options { return behind(t, "", time.Now().Add(-time.Hour), true) }},
		{"certificate for another name", "broker.tls", "it is for rabbit.example.org, not 127.0.0.1", func(t *testing.T) Options { return behind(t, "rabbit.example.org", tomorrow, true) }},
		{"certificate of an unknown authority", "broker.tls", "not trusted here", func(t *testing.T) Options { return behind(t, "", tomorrow, false) }},
		{"TLS to a port without", "broker.tls", "does not speak TLS", func(t *testing.T) Options {
			s := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(s.Close)
			return at(t, "amqps://ada:hunter2@"+s.Listener.Addr().String())
		}},
		{"no AMQP there", "broker.amqp", "does not speak AMQP", func(t *testing.T) Options {
			return at(t, "amqp://ada:hunter2@"+speaking(t, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"))
		}},
		{"no AMQP 0-9-1 there", "broker.amqp", "does not speak AMQP", func(t *testing.T) Options {
			return at(t, "amqp://ada:hunter2@"+speaking(t, "AMQP\x03\x01\x00\x00"))
		}},
		{"a login without an answer", "broker.login", "does not answer the login", func(t *testing.T) Options {
			return at(t, node(t).UserURL("ada", "hunter2", "/")+"?connection_timeout=1500")
		}},
		{"one of two nodes", "broker.tcp", "(but right at", func(t *testing.T) Options {
			return at(t, "amqp://guest:guest@"+closed(t)+","+node(t).Address()+"/%2F")
		}},
		{"no broker in the settings", "settings", "name no broker", func(*testing.T) Options { return Options{Config: config.Default()} }},
		{"wrong settings", "settings", "PORT: is wrong", func(*testing.T) Options {
			return Options{Problem: config.Problems{{Where: "PORT", Why: "is wrong"}}}
		}},
		{"too few files", "files", "the settings allow 2000000000 streams", func(t *testing.T) Options {
			o := at(t, node(t).URL())
			o.Config.Limits.Streams = 2_000_000_000
			return o
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if shown := names(t, row.options(t), row.check, row.cause); strings.Contains(shown, "hunter2") {
				t.Errorf("the password is shown:\n%s", shown)
			}
		})
	}
}

// Rights are those of RabbitMQ itself.
func TestWhatIsMissingAtTheBrokerIsNamed(t *testing.T) {
	n, ctx := node(t), t.Context()
	everything := rabbit.Permissions{Configure: ".*", Write: ".*", Read: ".*"}
	for _, user := range []string{"pulse", "idle", "deaf"} {
		must(t, n.AddUser(ctx, user, "right"))
	}
	must(t, n.SetPermissions(ctx, "pulse", "/", rabbit.PulseUser("pulse")))
	must(t, n.SetPermissions(ctx, "idle", "/", rabbit.Permissions{Configure: "^$", Write: ".*", Read: ".*"}))
	must(t, n.SetPermissions(ctx, "deaf", "/", rabbit.Permissions{Configure: ".*", Write: ".*", Read: "^queue/"}))
	must(t, n.AddUser(ctx, "limited", "right"))
	must(t, n.AddVHost(ctx, "limited"))
	must(t, n.SetPermissions(ctx, "limited", "limited", everything))
	declare(t, n, "exchange/tc/topic", "topic")
	declare(t, n, "exchange/tc/direct", "direct")
	policy(t, n, "limited", "short", `{"pattern":"^queue/","definition":{"max-length":100,"message-ttl":5},"apply-to":"queues"}`)
	asking := func(o Options, exchange string) Options {
		o.Bindings = []amqp.Binding{{Exchange: exchange, Pattern: "primary.#"}}
		o.Management = n.ManagementURL()
		return o
	}
	for _, row := range []struct {
		name, check, cause string
		options            Options
	}{
		{"wrong password", "broker.login", `refuses the user "pulse"`, at(t, n.UserURL("pulse", "wrong", "/"))},
		{"no such user", "broker.login", `refuses the user "nobody"`, at(t, n.UserURL("nobody", "right", "/"))},
		{"no such virtual host", "broker.vhost", `refuses the virtual host "nowhere"`, at(t, n.UserURL("pulse", "right", "nowhere"))},
		{"no right to the virtual host", "broker.vhost", `refuses the virtual host "limited"`, at(t, n.UserURL("pulse", "right", "limited"))},
		{"no right to make queues", "broker.queue", "may not make queues", at(t, n.UserURL("idle", "right", "/"))},
		{"no right to read the exchange", "broker.exchange", "access to exchange 'exchange/tc/topic'", asking(at(t, n.UserURL("deaf", "right", "/")), "exchange/tc/topic")},
		{"no such exchange", "broker.exchange", `"exchange/tc/nosuch" is not there`, asking(at(t, n.UserURL("pulse", "right", "/")), "exchange/tc/nosuch")},
		{"a pattern on a direct exchange", "broker.kinds", "a direct exchange", asking(at(t, n.UserURL("pulse", "right", "/")), "exchange/tc/direct")},
		{"policies that drop", "broker.policies", "max-length = 100, message-ttl = 5", managedBy(at(t, n.UserURL("limited", "right", "limited")), n.ManagementURL())},
		{"no management there", "broker.policies", "connection refused", managedBy(at(t, n.UserURL("pulse", "right", "/")), "http://"+closed(t))},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			names(t, row.options, row.check, row.cause)
		})
	}
	o := at(t, n.UserURL("pulse", "right", "/"))
	o.Config.Pulse.Namespace = "another"
	t.Run("another's namespace", func(t *testing.T) {
		t.Parallel()
		names(t, o, "broker.queue", "may not make queues")
	})
}

func managedBy(o Options, management string) Options {
	o.Management = management
	return o
}

// A broker that reports that one queue did not take the probe has put it into the stream's all the
// same: it is waited for.
func TestAProbeThatAnotherQueueDidNotTakeIsWaitedFor(t *testing.T) {
	for _, arrives := range []bool{true, false} {
		events := make(chan arrival, 1)
		if arrives {
			events <- arrival{Event: sse.Event{Name: "message"}, at: time.Now()}
		}
		v := &visit{stream: &stream{events: events}, probe: &probe{publisher: nacking{}}}
		v.options.Patience = 100 * time.Millisecond
		if f := v.urlMessage(t.Context()); arrives != (f.Verdict == Pass) || !arrives && !strings.Contains(f.Cause, "did not take did not arrive") {
			t.Errorf("arrives %t: %+v", arrives, f)
		}
	}
}

// nacking is the publisher of a broker on which one queue is always being deleted.
type nacking struct{ amqp.Publisher }

func (nacking) Publish(context.Context, string, string, amqp.Message) error {
	return &amqp.Error{Kind: amqp.Nacked, Op: "publish"}
}

func declare(t *testing.T, n *rabbit.Node, exchange, kind string) {
	t.Helper()
	broker, err := amqp.NewRabbitMQ(n.URL(), amqp.RabbitMQOptions{})
	must(t, err)
	publisher, err := broker.Publisher(t.Context())
	must(t, err)
	must(t, publisher.Declare(t.Context(), exchange, kind))
	must(t, publisher.Close())
}

// policy sets a policy through the management plugin.
func policy(t *testing.T, n *rabbit.Node, vhost, name, definition string) {
	t.Helper()
	manage(t, n, http.MethodPut, "policies/"+url.PathEscape(vhost)+"/"+name, definition)
}

// manage asks the management plugin to change something.
func manage(t *testing.T, n *rabbit.Node, method, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, n.ManagementURL()+"/api/"+path, strings.NewReader(body))
	must(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Do(request)
	must(t, err)
	r.Body.Close()
	if r.StatusCode >= 300 {
		t.Fatalf("%s %s is refused: %s", method, path, r.Status)
	}
}

// An exchange that the proxy must not route by itself is named with its reason: what such a stream
// misses, nothing in the proxy can see.
func TestAnExchangeThatMustNotBeRoutedIsNamed(t *testing.T) {
	n := node(t)
	const at2F = "exchange%2Frouted%2F"
	for name, kind := range map[string]string{"source": "topic", "fed": "topic", "direct": "direct", "headers": "headers", "alternate": "topic", "fallback": "topic"} {
		manage(t, n, http.MethodPut, "exchanges/%2F/"+at2F+name, `{"type":"`+kind+`"}`)
	}
	manage(t, n, http.MethodPost, "bindings/%2F/e/"+at2F+"source/e/"+at2F+"fed", `{"routing_key":"#"}`)
	manage(t, n, http.MethodPut, "exchanges/%2F/"+at2F+"unrouted", `{"type":"topic","arguments":{"alternate-exchange":"exchange/routed/alternate"}}`)
	policy(t, n, "/", "unmatched", `{"pattern":"^exchange/routed/source$","definition":{"alternate-exchange":"exchange/routed/fallback"},"apply-to":"exchanges"}`)
	for name, cause := range map[string]string{
		"direct":    "exchange/routed/direct is no topic exchange, its kind is direct",
		"h*s":       "exchange/routed/headers is no topic exchange",
		"fed":       "exchange/routed/fed is bound to the exchange exchange/routed/source",
		"alternate": "exchange/routed/alternate is the alternate exchange of exchange/routed/unrouted",
		"fallback":  "exchange/routed/fallback is the alternate exchange of others by the policy unmatched",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := managedBy(at(t, n.URL()), n.ManagementURL())
			o.Config.Server.Routed = []string{"exchange/routed/" + name}
			names(t, o, "broker.routed", cause)
		})
	}
}

// What a proxy on the way does to streams is felt by their readers and stands in no log: it is
// named.
func TestWhatAProxyOnTheWayDoesIsNamed(t *testing.T) {
	for _, row := range []struct {
		name, check, cause string
		front              func(*url.URL) http.Handler
	}{
		{"whole answers are buffered", "url.stream", "it buffers", wholeAnswers},
		{"pieces are buffered", "url.first", "it buffers", fullBuffers},
		{"streams are compressed", "url.compression", "Content-Encoding: gzip", compressing},
		{"idle streams are cut", "url.idle", "cuts idle streams", cutting(200 * time.Millisecond)},
		{"Last-Event-ID is taken off", "url.stop", "the header Last-Event-ID", changing(func(r *http.Request) { r.Header.Del("Last-Event-ID") }, nil)},
		{"CORS is added again", "url.cors", "twice", changing(nil, func(h http.Header) { h.Add("Access-Control-Allow-Origin", "*") })},
		{"CORS is taken off", "url.cors", "missing", changing(nil, func(h http.Header) { h.Del("Access-Control-Allow-Origin") })},
		{"no service behind", "url.alive", "no events proxy behind it", func(*url.URL) http.Handler {
			return passing(&url.URL{Scheme: "http", Host: "127.0.0.1:1"})
		}},
		{"another service behind", "url.alive", "404", func(*url.URL) http.Handler { return http.NotFoundHandler() }},
		{"a redirect", "url.alive", "https://tc.example.org", func(*url.URL) http.Handler {
			return http.RedirectHandler("https://tc.example.org", http.StatusMovedPermanently)
		}},
		{"full", "url.stream", "no room", func(target *url.URL) http.Handler {
			next := passing(target)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, connectPath) && r.Header.Get("Last-Event-ID") == "" && r.URL.Query().Get("lastEventId") == "" {
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				next.ServeHTTP(w, r)
			})
		}},
		{"all is well", "", "", func(target *url.URL) http.Handler { return passing(target) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := memory(t, row.front)
			if row.check != "" && row.check != "url.idle" {
				o.Watch = -1
			}
			if row.check != "" {
				names(t, o, row.check, row.cause)
				return
			}
			if report, shown := examined(t, o); report.Failed() {
				t.Error(shown)
			}
		})
	}
}

// Without an exchange to ask for, a stream ends at once, and passes every buffer: no check may read as
// if nothing buffered, and what is to be named is said.
func TestWithoutAnExchangeBufferingIsNotJudged(t *testing.T) {
	o := memory(t, wholeAnswers)
	o.Bindings, o.Watch = nil, -1
	report, shown := examined(t, o)
	if report.Failed() {
		t.Error(shown)
	}
	for _, want := range []string{"of a stream that ends at once", "SKIP  url.ready", "whether a proxy on the way buffers", "--binding"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not said:\n%s", want, shown)
		}
	}
}

// A way to the proxy that is none.
func TestWhatIsWrongWithAPublicURLIsNamed(t *testing.T) {
	expired, _ := certificate(t, "", time.Now().Add(-time.Hour))
	for _, row := range []struct{ name, check, cause, url string }{
		{"no URL", "url.name", "not a URL", "tc.example.org"},
		{"a closed port", "url.tcp", "nothing listens", "http://" + closed(t)},
		{"mute", "url.alive", "does not answer HTTP", "http://" + mute(t)},
		{"https without TLS", "url.tls", "does not answer the TLS handshake", "https://" + mute(t)},
		{"expired", "url.tls", "not valid now", "https://" + secured(t, mute(t), expired)},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			names(t, Options{Config: config.Default(), URL: row.url, Patience: time.Second}, row.check, row.cause)
		})
	}
}

// A set-up in which all is well has no failure, and each check that can be made was: a proxy with
// TLS and HTTP/2, over a real RabbitMQ, with the rights of Pulse.
func TestASoundSetUpRaisesNoFalseAlarm(t *testing.T) {
	n := node(t)
	must(t, n.AddUser(t.Context(), "sound", "right"))
	must(t, n.SetPermissions(t.Context(), "sound", "/", rabbit.PulseUser("sound")))
	declare(t, n, "exchange/tc/sound", "topic")
	c, ca := certificate(t, "", time.Now().Add(90*24*time.Hour))
	broker := n.UserURL("sound", "right", "/")
	o := at(t, strings.Replace(strings.Replace(broker, "amqp://", "amqps://", 1), n.Address(), secured(t, n.Address(), c), 1)+"?cacertfile="+ca)

	dialer, err := amqp.NewRabbitMQ(broker, amqp.RabbitMQOptions{})
	must(t, err)
	p, err := proxytest.Start(proxytest.Options{Actors: actors.Options{Dialer: dialer, Namespace: "sound", PingPeriod: 500 * time.Millisecond}})
	must(t, err)
	defer p.Close()
	target, err := url.Parse(p.URL)
	must(t, err)
	front := httptest.NewUnstartedServer(passing(target))
	front.TLS, front.EnableHTTP2 = &tls.Config{Certificates: []tls.Certificate{c}}, true
	front.StartTLS()
	defer front.Close()

	o.URL, o.Roots, o.Watch, o.Management = front.URL, x509.NewCertPool(), 3*time.Second, n.ManagementURL()
	text, err := os.ReadFile(ca)
	must(t, err)
	o.Roots.AppendCertsFromPEM(text)
	o.Bindings = []amqp.Binding{{Exchange: "exchange/tc/sound", Pattern: "#"}}
	o.Config.Server.Routed = []string{"exchange/tc/sound"}
	awaitBroker(t, p)
	report, shown := examined(t, o)
	for _, f := range report {
		if f.Verdict != Pass {
			t.Errorf("%s is %s", f.Check, f.Verdict)
		}
	}
	if t.Failed() || len(report) != len(checks) {
		t.Error(shown)
	}
	clean(t, n, "queue/sound/", "exchange/sound/")
}

func awaitBroker(t *testing.T, p *proxytest.Proxy) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !p.System.Health().BrokerUp; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the proxy does not reach its broker")
		}
	}
}

// clean waits until nothing of the doctor's is left at the broker.
func clean(t *testing.T, n *rabbit.Node, prefixes ...string) {
	t.Helper()
	o := managedBy(Options{}, n.ManagementURL())
	v := &visit{options: o.withDefaults()}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var left []string
		for _, what := range []string{"queues", "exchanges"} {
			var list []struct{ Name string }
			must(t, v.inquire(t.Context(), &list, what))
			for _, e := range list {
				for _, prefix := range prefixes {
					if strings.HasPrefix(e.Name, prefix) {
						left = append(left, e.Name)
					}
				}
			}
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left at the broker: %v", left)
		}
	}
}

// A proxy with TLS and without HTTP/2 lets a browser open six streams, in all tabs together.
func TestHTTP1WithTLSIsNamed(t *testing.T) {
	o := memory(t, nil)
	target, err := url.Parse(o.URL)
	must(t, err)
	front := httptest.NewTLSServer(passing(target))
	defer front.Close()
	o.URL, o.Roots = front.URL, x509.NewCertPool()
	o.Roots.AddCert(front.Certificate())
	names(t, o, "url.http2", "at most six streams")
}

// Ctrl-C ends it soon, without red.
func TestAnInterruptedVisitSkipsTheRest(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report := Examine(ctx, Options{Config: config.Default(), URL: "http://" + mute(t)}, nil)
	if report.Failed() || len(report) != len(checks) {
		t.Errorf("%+v", report)
	}
}

// Every check that another one needs is made before it.
func TestChecksStandBehindWhatTheyNeed(t *testing.T) {
	made := map[string]bool{}
	for _, c := range checks {
		for _, need := range c.needs {
			if !made[need] {
				t.Errorf("%s needs %s, which is not made before", c.name, need)
			}
		}
		made[c.name] = true
	}
}

// Two pings that come together though they were sent apart have waited somewhere.
func TestPingsThatComeInABunchMeanABuffer(t *testing.T) {
	at := func(seconds ...int) (list []time.Time) {
		for _, s := range seconds {
			list = append(list, time.Unix(int64(s), 0))
		}
		return list
	}
	for _, row := range []struct {
		sent, came []time.Time
		want       Verdict
	}{
		{at(0, 20, 40), at(1, 21, 41), Pass},
		{at(0, 20, 40), at(1, 41, 41), Fail},
		{at(0), at(1), Skip},
		{nil, nil, Skip},
	} {
		if got := steady(row.sent, row.came, time.Minute); got.Verdict != row.want {
			t.Errorf("%v %v: %+v", row.sent, row.came, got)
		}
	}
}

// What a broker or a proxy says is shown, and not obeyed by a terminal; programs get JSON.
func TestReports(t *testing.T) {
	list := Report{pass("\x1b[2Jfine"), fail("do", "bad"), skip("needs b"), skip("needs b")}
	for i, name := range []string{"a", "b", "c", "d"} {
		list[i].Check, list[i].About = name, "it"
	}
	list[2].need, list[3].need = "b", "b"
	var shown strings.Builder
	lines := Lines{Out: &shown}
	for _, f := range list {
		lines.Tell(f)
	}
	lines.Flush()
	want := fmt.Sprintf("PASS  %-16s it: \ufffd[2Jfine\nFAIL  %-16s it: bad\n%23s→ do\nSKIP  c … d: needs b\n", "a", "b", "")
	if shown.String() != want || list.Summary() != "1 passed, 1 failed, 2 skipped" {
		t.Errorf("%q\n%q\n%s", shown.String(), want, list.Summary())
	}
	var text bytes.Buffer
	must(t, list.WriteJSON(&text))
	var back struct {
		Sound  bool
		Checks Report
	}
	if err := json.Unmarshal(text.Bytes(), &back); err != nil || back.Sound || len(back.Checks) != 4 || back.Checks[1].Mend != "do" {
		t.Errorf("%v %+v", err, back)
	}
}

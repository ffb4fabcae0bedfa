package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/config"
)

// reloading is a proxy in this process whose settings file may be rewritten.
type reloading struct {
	*instance // its url, out and requests; there is no process
	file      string
	hangups   chan os.Signal
	broker    *amqp.Memory
	publisher amqp.Publisher
}

const reloadExchange, otherExchange = "exchange/tc/task", "exchange/other/x"

func startReloading(t *testing.T, settings string) *reloading {
	t.Helper()
	r := &reloading{
		instance: &instance{t: t}, file: filepath.Join(t.TempDir(), "s.yml"),
		hangups: make(chan os.Signal), broker: amqp.NewMemory(),
	}
	var err error
	r.publisher, err = r.broker.Publisher(t.Context())
	must(t, err)
	must(t, r.publisher.Declare(t.Context(), reloadExchange, "topic"))
	must(t, r.publisher.Declare(t.Context(), otherExchange, "topic"))
	r.write(settings)
	load := func() (config.Config, error) {
		return config.Load([]string{"--config", r.file, "--port=0", "--host=127.0.0.1"}, []string{"PULSE_URL=" + noBroker}, os.ReadFile)
	}
	c, err := load()
	must(t, err)
	listener, err := listen(c.Server)
	must(t, err)
	ctx, end := context.WithCancel(t.Context())
	urls, status := make(chan string, 1), make(chan int, 1)
	p := newProcess(nil, io.Discard, &r.out)
	go func() { // ends with ctx
		status <- p.proxy(ctx, c, r.broker, listener, reloads{r.hangups, load}, func(url string) { urls <- url })
	}()
	t.Cleanup(func() {
		end()
		if got := <-status; got != succeeded {
			t.Errorf("status %d:\n%s", got, r.out.String())
		}
		r.publisher.Close()
		r.broker.Close()
	})
	r.url = <-urls
	return r
}

// write replaces the file as a whole: a reload may be reading it.
func (r *reloading) write(settings string) {
	r.t.Helper()
	must(r.t, os.WriteFile(r.file+".new", []byte("production:\n"+settings), 0o600))
	must(r.t, os.Rename(r.file+".new", r.file))
}

// reload rewrites the file, asks for a reload, and waits until it is done: the channel has no room,
// so that a second request is taken when the first has been answered.
func (r *reloading) reload(settings string) {
	r.t.Helper()
	r.write(settings)
	for range 2 {
		select {
		case r.hangups <- syscall.SIGHUP:
		case <-time.After(patience):
			r.t.Fatal("the reload takes too long")
		}
	}
}

// stream opens a stream and returns its frames, and the first of them.
func (r *reloading) stream(exchange string) (next func() frame) {
	r.t.Helper()
	answer := r.open(aStream(exchange))
	r.t.Cleanup(func() { answer.Body.Close() })
	all := make(chan frame, 100)
	go func() { // ends with the stream
		defer close(all)
		for f := range frames(answer.Body) {
			if f.name != "ping" {
				all <- f
			}
		}
	}()
	return func() frame {
		select {
		case f := <-all:
			return f
		case <-time.After(patience):
			r.t.Fatalf("nothing comes:\n%s", r.out.String())
			return frame{}
		}
	}
}

// After SIGHUP newcomers meet the new limits and lists, and a stream that is open does not notice.
func TestReloadChangesLimitsAndListsWithoutTouchingAStream(t *testing.T) {
	r := startReloading(t, "  limits: {streams: 1}\n  server: {logLevel: warn}\n")
	next := r.stream(reloadExchange)
	if f := next(); f.name != "ready" {
		t.Fatalf("%+v", f)
	}
	if status, body := r.get(aStream(reloadExchange)); status != 503 {
		t.Fatalf("a second stream: %d %s", status, body)
	}
	r.reload("  limits: {streams: 5}\n  server: {exchanges: [exchange/other/*], origins: ['https://a.example.org'], logLevel: info}\n")
	if out := r.out.String(); strings.Contains(out, "listening on") {
		t.Errorf("the log has lines below its level:\n%s", out)
	}
	r.says(`level=INFO msg="the settings were reloaded" changed="server.origins, server.exchanges, server.logLevel, limits.streams"`)
	if f := r.stream(reloadExchange)(); f.name != "error" || !strings.Contains(f.data, "ExchangeForbidden") {
		t.Errorf("a forbidden exchange: %+v", f)
	}
	if f := r.stream(otherExchange)(); f.name != "ready" {
		t.Errorf("an allowed exchange: %+v", f)
	}
	request, err := http.NewRequest("GET", r.url+"/v1/ping", nil)
	must(t, err)
	request.Header.Set("Origin", "https://b.example.org")
	answer, err := http.DefaultClient.Do(request)
	must(t, err)
	if answer.Body.Close(); answer.StatusCode != 403 {
		t.Errorf("a page of another origin gets %d", answer.StatusCode)
	}
	must(t, r.publisher.Publish(t.Context(), reloadExchange, "k", amqp.Message{Body: []byte(`1`)}))
	if f := next(); f.name != "message" {
		t.Errorf("the open stream hears %+v", f)
	}
}

// Each setting that a running proxy cannot take is named, so that no change is thought to be in
// effect.
func TestReloadNamesEverySettingThatNeedsARestart(t *testing.T) {
	values := map[string]string{
		"server.operator": "127.0.0.1:0", "pulse.hostname": "broker.example.org", "server.rootUrl": "https://b.example.org", "server.logFormat": "json",
		"server.rebalance": "false", "server.noticeDrops": "false", // on by default
		"bool": "true", "number": "7", "duration": "7s", "bytes": "7KiB", "list": "x", "text": "x", "file": "x", "secret": "x",
	}
	settings, named := map[string]string{}, []string{}
	for _, s := range config.Settings {
		if s.Live || s.Key == "pulse.url" || s.Key == "server.port" || s.Key == "server.host" { // of the command line here
			continue
		}
		section, key, _ := strings.Cut(s.Key, ".")
		settings[section] += fmt.Sprintf("    %s: %s\n", key, cmp.Or(values[s.Key], values[s.Kind()]))
		named = append(named, s.Key)
	}
	r := startReloading(t, "  limits: {streams: 1}\n")
	text := "  limits:\n    streams: 1\n" + settings["limits"]
	for _, section := range []string{"pulse", "server", "drain"} {
		text += "  " + section + ":\n" + settings[section]
	}
	r.reload(text)
	r.says(`level=WARN msg="changed settings need a restart" settings="` + strings.Join(named, ", ") + `"`)
	r.says(`msg="the settings were reloaded" changed=none`)
}

// What cannot change while the proxy runs is named, and the rest changes.
func TestReloadNamesWhatNeedsARestart(t *testing.T) {
	r := startReloading(t, "  limits: {streams: 1}\n")
	r.reload("  limits: {streams: 2, declares: 7}\n  server: {operator: '127.0.0.1:0', logFormat: json, tlsCertificate: c, tlsKey: k}\n")
	r.says(`level=ERROR msg="the settings are wrong: the old ones stay" error="[^"]*certificate c with key k`)
	r.reload("  limits: {streams: 2, declares: 7}\n  server: {operator: '127.0.0.1:0', logFormat: json}\n")
	r.says(`msg="the settings were reloaded" changed=limits.streams`)
	r.says(`level=WARN msg="changed settings need a restart" settings="server.operator, server.logFormat, limits.declares"`)
}

// Settings that are wrong change nothing, however many of them are right, and each is named.
func TestReloadWithWrongSettingsKeepsTheOldOnes(t *testing.T) {
	r := startReloading(t, "  limits: {streams: 1}\n")
	next := r.stream(reloadExchange)
	next()
	for _, row := range []struct{ settings, want string }{
		{"  limits: {streams: 9, prefetch: 0}\n  server: {prot: 1}\n", `s.yml:2: production: limits.prefetch: `},
		{"  limits: {streams: 9, prefetch: 0}\n  server: {prot: 1}\n", `s.yml:3: production: server.prot: unknown key; did you mean server.port\?`},
		{"  limits: [\n", "s.yml: line"},
		{"  limits: {streams: 9}\n  pulse: {namespace: \"" + strings.Repeat("x", 250) + "\"}\n", "pulse.namespace"},
	} {
		r.reload(row.settings)
		r.says(`level=ERROR msg="the settings are wrong: the old ones stay" error=.*` + row.want)
		if status, _ := r.get(aStream(reloadExchange)); status != 503 {
			t.Errorf("%s: a second stream gets %d", row.settings, status)
		}
	}
	must(t, os.Remove(r.file))
	r.hangups <- syscall.SIGHUP
	r.says(`level=ERROR .*s.yml: cannot be read`)
}

// SIGHUP reaches the process, as often as it comes, and does not end it.
func TestSIGHUPReloads(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.yml")
	must(t, os.WriteFile(file, []byte("production: {limits: {streams: 1}}\n"), 0o600))
	events := start(t, []string{"PULSE_URL=" + noBroker, "PORT=0"}, "serve", "--config", file)
	for n := 2; n < 5; n++ {
		must(t, os.WriteFile(file, fmt.Appendf(nil, "production: {limits: {streams: %d}, server: {logLevel: info}}\n", n), 0o600))
		events.signal(syscall.SIGHUP)
		events.says(fmt.Sprintf(`(?s)(msg="the settings were reloaded" changed=limits.streams.*){%d}`, n-1))
	}
	events.signal(syscall.SIGTERM)
	events.ends(succeeded)
}

// A certificate that is renewed is shown to newcomers without a signal or a restart; open streams
// stay; a file that is broken, or half written, ends nothing.
func TestRenewedCertificateIsTaken(t *testing.T) {
	certificate, key, trust := selfSigned(t)
	demo := start(t, nil, "demo", "--port=0", "--tls-certificate", certificate, "--tls-key", key)
	link := demo.says(`curl -N '(https://[^']+)'`)[1]
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport, Timeout: 4 * patience}).Get(link)
	must(t, err)
	defer answer.Body.Close()
	heard := make(chan frame, 1000)
	go func() { // ends with the stream
		defer close(heard)
		for f := range frames(answer.Body) {
			heard <- f
		}
	}()

	renewed, renewedKey, renewedTrust := selfSigned(t)
	move(t, renewed, certificate) // the key comes later
	untilHandshake(t, demo, func(err error) bool { return strings.Contains(demo.out.String(), "the old one stays") })
	if err := handshake(demo.url, &tls.Config{RootCAs: trust}); err != nil {
		t.Errorf("between certificate and key: %v", err)
	}
	move(t, renewedKey, key)
	untilHandshake(t, demo, func(error) bool { return handshake(demo.url, &tls.Config{RootCAs: renewedTrust}) == nil })
	demo.says(`level=INFO msg="the certificate has changed" file=`)

	for len(heard) > 0 { // what came before
		<-heard
	}
	select {
	case f, open := <-heard:
		if !open || f.name == "error" {
			t.Errorf("the stream has ended: %+v", f)
		}
	case <-time.After(patience):
		t.Error("the stream is silent")
	}
	demo.signal(syscall.SIGTERM)
	demo.ends(succeeded)
}

func move(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, content, 0o600))
}

// handshake connects and returns why the certificate is not trusted.
func handshake(url string, c *tls.Config) error {
	conn, err := tls.Dial("tcp", strings.TrimPrefix(url, "https://"), c)
	if err != nil {
		return err
	}
	return conn.Close()
}

// untilHandshake shakes hands until done holds.
func untilHandshake(t *testing.T, in *instance, done func(error) bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !done(handshake(in.url, &tls.Config{InsecureSkipVerify: true})) {
		if time.Now().After(deadline) {
			t.Fatalf("never:\n%s", in.out.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A hook that renews a certificate and sends SIGHUP sees in the log that the new one is shown, and a
// handshake right after that has it.
func TestRenewedCertificateIsTakenAtSIGHUP(t *testing.T) {
	certificate, key, _ := selfSigned(t)
	events := start(t, []string{"PULSE_URL=" + noBroker}, "serve", "--port=0", "--host=127.0.0.1", "--tls-certificate", certificate, "--tls-key", key)
	renewed, renewedKey, trust := selfSigned(t)
	move(t, renewed, certificate)
	move(t, renewedKey, key)
	events.signal(syscall.SIGHUP)
	events.says(`(?s)level=INFO msg="the certificate has changed" file=.*msg="the settings were reloaded" changed=none`)
	must(t, handshake(events.url, &tls.Config{RootCAs: trust}))
	events.signal(syscall.SIGTERM)
	events.ends(succeeded)
}

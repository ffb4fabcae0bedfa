package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

const (
	ofQueue   = "exchange/taskcluster-queue/v1/*:primary.#" // what the tokens of these tests grant
	pageOfUse = "https://tools.example.org"                 // the origin that the proxies of these tests list
)

// aSecret writes a file with a new secret and returns its name.
func aSecret(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(file, []byte(rand.Text()+rand.Text()+"\n"), 0o600))
	return file
}

// aKey writes a new key's two halves and returns the files' names.
func aKey(t *testing.T) (private, public string) {
	t.Helper()
	public, private = filepath.Join(t.TempDir(), "public.pem"), filepath.Join(t.TempDir(), "private.pem")
	half, whole, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	write := func(file, kind string, content []byte, err error) {
		must(t, err)
		must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600))
	}
	content, err := x509.MarshalPKIXPublicKey(half)
	write(public, "PUBLIC KEY", content, err)
	content, err = x509.MarshalPKCS8PrivateKey(whole)
	write(private, "PRIVATE KEY", content, err)
	return private, public
}

// aToken returns a token for ada that `events token make` makes.
func aToken(t *testing.T, flags ...string) string {
	t.Helper()
	r := execute(t, nil, append([]string{"token", "make", "--subject=ada", ofQueue}, flags...)...)
	if r.status != succeeded {
		t.Fatalf("%+v", r)
	}
	return strings.TrimSpace(r.stdout)
}

// queueStream is the path of a stream of one exchange that the demo has.
func queueStream(pattern string) string {
	return "/api/events/v1/connect/?bindings=" + url.QueryEscape(`{"bindings":[{"exchange":"exchange/taskcluster-queue/v1/task-running","routingKeyPattern":"`+pattern+`"}]}`)
}

// firstOf asks for a stream with some headers, and returns the status and the first event that is no
// ping.
func (in *instance) firstOf(path string, headers map[string]string) (int, frame) {
	in.t.Helper()
	status, next := in.streamWith(path, headers)
	return status, next()
}

// streamWith opens a stream and returns the status and what returns the next event that is no ping, a
// zero one at the end.
func (in *instance) streamWith(path string, headers map[string]string) (int, func() frame) {
	in.t.Helper()
	request, err := http.NewRequestWithContext(in.t.Context(), "GET", in.url+path, nil)
	must(in.t, err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	must(in.t, err)
	in.t.Cleanup(func() { answer.Body.Close() })
	all := make(chan frame, 100)
	go func() { // ends with the stream
		defer close(all)
		for f := range frames(answer.Body) {
			if f.name != "ping" {
				all <- f
			}
		}
	}()
	return answer.StatusCode, func() frame {
		select {
		case f := <-all:
			return f
		case <-time.After(patience):
			in.t.Fatalf("nothing comes:\n%s", in.out.String())
			return frame{}
		}
	}
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

// A token is taken from the header, the cookie and the query, the first of them that is there; a
// request without a good one is told Unauthorized and not why, for good, and nothing is declared for
// it.
func TestTokensAndWhereTheyAreTakenFrom(t *testing.T) {
	secret := aSecret(t)
	events := start(t, nil, "demo", "--port=0", "--operator=127.0.0.1:0", "--auth-secret-file", secret, "--auth-cookie=events",
		"--auth-query-life=2m", "--auth-issuer=us", "--auth-audience=events", "--origins="+pageOfUse)
	ours := []string{"--secret-file", secret, "--issuer=us", "--audience=events"}
	good, short := aToken(t, append(ours, "--life=1h")...), aToken(t, append(ours, "--life=1m")...)
	stranger := aToken(t, "--secret-file", aSecret(t), "--issuer=us", "--audience=events")
	inHeader := func(token string) map[string]string { return bearer(token) }
	inCookie := func(token string, more ...string) map[string]string {
		headers := map[string]string{"Cookie": "a=b; events=" + token}
		for i := 0; i < len(more); i += 2 {
			headers[more[i]] = more[i+1]
		}
		return headers
	}
	for _, row := range []struct {
		name, query string
		headers     map[string]string
		status      int
		want        string // of the event
	}{
		{"header", "", inHeader(good), 200, "ready"},
		{"scheme in small letters", "", map[string]string{"Authorization": "bearer " + good}, 200, "ready"},
		{"cookie, page of the list", "", inCookie(good, "Origin", pageOfUse, "Sec-Fetch-Site", "cross-site"), 200, "ready"},
		{"cookie, own page", "", inCookie(good, "Sec-Fetch-Site", "same-origin"), 200, "ready"},
		{"cookie, no browser", "", inCookie(good), 200, "ready"},
		{"query", "&token=" + short, nil, 200, "ready"},
		{"another scheme, then query", "&token=" + short, map[string]string{"Authorization": "Basic YTpi"}, 200, "ready"},
		{"header before cookie", "", map[string]string{"Authorization": "Bearer " + good, "Cookie": "events=x"}, 200, "ready"},
		{"cookie before query", "&token=x", inCookie(good), 200, "ready"},

		{"nothing", "", nil, 200, "asks for a token"},
		{"nonsense", "", inHeader("hunter2"), 200, "gives no access"},
		{"another secret", "", inHeader(stranger), 200, "gives no access"},
		{"wrong header, good query", "&token=" + short, inHeader(stranger), 200, "gives no access"},
		{"wrong cookie, good query", "&token=" + short, inCookie(stranger), 200, "gives no access"},
		{"cookie, image of another site", "", inCookie(good, "Sec-Fetch-Site", "cross-site"), 200, "gives no access"},
		{"cookie, page off the list", "", inCookie(good, "Origin", "https://evil.example.org"), 403, ""},
		{"query, lives too long", "&token=" + good, nil, 200, "gives no access"},
		{"query, twice", "&token=" + short + "&token=" + short, nil, 200, "gives no access"},
		{"another issuer", "", inHeader(aToken(t, "--secret-file", secret, "--issuer=them", "--audience=events")), 200, "gives no access"},
		{"another audience", "", inHeader(aToken(t, "--secret-file", secret, "--issuer=us")), 200, "gives no access"},
	} {
		status, f := events.firstOf(queueStream("primary.a.#")+row.query, row.headers)
		unauthorized := f.name == "error" && strings.Contains(f.data, `{"code":"Unauthorized",`) && strings.Contains(f.data, row.want) && strings.Contains(f.data, `"retryable":false}`)
		if ready := f.name == "ready"; status != row.status || status == 200 && (row.want == "ready") != ready || !ready && status == 200 && !unauthorized {
			t.Errorf("%s: %d, %+v", row.name, status, f)
		}
	}
	for _, pattern := range []string{"#", "*.a", "secondary.#"} {
		if _, f := events.firstOf(queueStream(pattern), inHeader(good)); f.name != "error" || !strings.Contains(f.data, "Unauthorized") {
			t.Errorf("%s: %+v", pattern, f)
		}
	}
	if tree := events.operators("/__tree__"); strings.Contains(tree, `"routingKeyPattern":"#"`) || !strings.Contains(tree, `"subject":"ada"`) {
		t.Errorf("something was made for a stream that was refused, or its subject is not shown: %s", tree)
	}
}

// operators asks the operators' listener for a path.
func (in *instance) operators(path string) string {
	in.t.Helper()
	_, body := in.get(in.says(`operators on (\S+)`)[1] + path)
	return body
}

// A stream ends when its token does, for a reason that a new token mends.
func TestAStreamEndsWithItsToken(t *testing.T) {
	secret := aSecret(t)
	events := start(t, nil, "demo", "--port=0", "--auth-secret-file", secret)
	token := aToken(t, "--secret-file", secret, "--life=2s")
	_, next := events.streamWith(queueStream("primary.#"), bearer(token))
	f := next()
	for deadline := time.Now().Add(patience); f.name == "ready" || f.name == "message"; f = next() {
		if time.Now().After(deadline) {
			t.Fatal("it goes on")
		}
	}
	if f.name != "error" || !strings.Contains(f.data, `"code":"TokenExpired"`) || !strings.Contains(f.data, `"retryable":true,"retryAfterMs":`) {
		t.Errorf("the stream ends with %+v", f)
	}
}

// Keys are replaced under a running proxy: newcomers need a token of the new one within a second, and
// a stream of the old one goes on. Half of a file, and a file that has gone, change nothing.
func TestKeysAreReplacedWithoutTouchingAStream(t *testing.T) {
	private, public := aKey(t)
	events := start(t, nil, "demo", "--port=0", "--auth-keys-file", public)
	before := aToken(t, "--key-file", private)
	_, next := events.streamWith(queueStream("primary.#"), bearer(before))
	if f := next(); f.name != "ready" {
		t.Fatalf("%+v", f)
	}
	accepts := func(token string) bool {
		_, f := events.firstOf(queueStream("primary.a"), bearer(token))
		return f.name == "ready"
	}
	until := func(what string, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !done(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("never: %s\n%s", what, events.out.String())
			}
		}
	}
	must(t, os.WriteFile(public, []byte("-----BEGIN PUB"), 0o600))
	until("half a file is a line in the log", func() bool {
		return accepts(before) && strings.Contains(events.out.String(), "cannot be used: the old keys stay")
	})
	newPrivate, newPublic := aKey(t)
	move(t, newPublic, public)
	after := aToken(t, "--key-file", newPrivate)
	until("the new key is in effect", func() bool { return accepts(after) })
	if accepts(before) {
		t.Error("a token of the old key opens a stream")
	}
	must(t, os.Remove(public))
	until("the file's end is a line in the log", func() bool {
		return accepts(after) && strings.Contains(events.out.String(), "no such file")
	})
	for n := 0; n < 2; {
		f := next()
		if f.name != "message" {
			t.Fatalf("the open stream hears %+v", f)
		}
		n++
	}
	events.signal(syscall.SIGTERM)
	events.ends(succeeded)
}

// SIGHUP changes what tokens are asked for, and open streams go on. With settings that are wrong the
// old ones stay. A service that asks for tokens does not cease to by a file that lost its section.
func TestReloadChangesAccessControl(t *testing.T) {
	first, second := aSecret(t), aSecret(t)
	asks := func(secret string) string {
		return "  auth: {secretFile: '" + secret + "', cookie: events}\n  server: {origins: ['https://a.example.org']}\n"
	}
	r := startReloading(t, asks(first))
	grant := "exchange/reload/*"
	of := func(secret string) map[string]string {
		made := execute(t, nil, "token", "make", "--secret-file", secret, reloadExchange, grant)
		return map[string]string{"Cookie": "events=" + strings.TrimSpace(made.stdout)}
	}
	opens := func(headers map[string]string) bool {
		_, f := r.firstOf(aStream(reloadExchange), headers)
		return f.name == "ready"
	}
	_, next := r.streamWith(aStream(reloadExchange), of(first))
	if f := next(); f.name != "ready" {
		t.Fatalf("%+v", f)
	}
	r.reload(asks(second))
	r.says(`msg="the settings were reloaded" changed=auth.secretFile`)
	if opens(of(first)) || !opens(of(second)) || opens(nil) {
		t.Error("the new secret is not the one that counts")
	}
	r.reload("  auth: {secretFile: /nowhere}\n")
	r.says(`level=ERROR msg="the settings are wrong: the old ones stay" error=.*auth.secretFile.*no such file`)
	r.reload("  limits: {streams: 9}\n")
	r.says(`level=WARN msg="changed settings need a restart" settings="server.origins, auth.secretFile, auth.cookie"`)
	if opens(of(first)) || !opens(of(second)) || opens(nil) {
		t.Error("other settings than those of the last good file are in effect")
	}
	must(t, r.publisher.Publish(t.Context(), reloadExchange, "k", amqp.Message{Body: []byte(`1`)}))
	if f := next(); f.name != "message" {
		t.Errorf("the open stream hears %+v", f)
	}
}

// A service that is open to everyone says so at its start, where others than this machine's programs
// reach it.
func TestAnOpenServiceIsLoud(t *testing.T) {
	_, public := aKey(t)
	const loud = "level=WARN msg=\"ACCESS CONTROL IS OFF: everyone who reaches this listener"
	for _, row := range []struct {
		args []string
		want bool
	}{
		{[]string{"--host=0.0.0.0"}, true},
		{nil, true},
		{[]string{"--host=127.0.0.1"}, false},
		{[]string{"--host=::1"}, false},
		{[]string{"--auth-keys-file", public}, false},
	} {
		events := start(t, []string{"PULSE_URL=" + noBroker}, append([]string{"serve", "--port=0"}, row.args...)...)
		events.signal(syscall.SIGTERM)
		events.ends(succeeded)
		if out := events.out.String(); strings.Contains(out, loud) != row.want {
			t.Errorf("%v:\n%s", row.args, out)
		}
	}
}

// What keeps access control from working keeps the service from starting, and names its setting.
func TestKeysThatCannotBeReadKeepServeFromStarting(t *testing.T) {
	for args, want := range map[string]string{
		"--auth-keys-file=/nowhere.pem":                  "--auth-keys-file: access: open /nowhere.pem: no such file",
		"--auth-secret-file=/dev/null":                   "--auth-secret-file: access: /dev/null: there is no secret in it",
		"--auth-issuer=us":                               "--auth-issuer: has no effect",
		"--auth-secret-file=/dev/null --auth-cookie=c":   "--auth-cookie: cannot be used",
		"--auth-keys-file=/dev/null --auth-query-life=x": "is not a duration",
	} {
		for _, command := range []string{"config", "serve"} {
			r := execute(t, []string{"PULSE_URL=" + noBroker}, append([]string{command, "--port=0"}, strings.Fields(args)...)...)
			if r.status != misused || !strings.Contains(r.stderr, want) {
				t.Errorf("%s %s: %+v", command, args, r)
			}
		}
	}
}

// No token, good or bad, wherever in a request it was, no key and no secret is found in anything that
// the proxy prints, serves or tells, with the log at its most talkative.
func TestNoOutputHoldsAToken(t *testing.T) {
	secret := aSecret(t)
	settings := []string{"--auth-secret-file", secret, "--auth-cookie=events", "--origins=" + pageOfUse, "--log-level=debug", "--operator=127.0.0.1:0"}
	events := start(t, nil, append([]string{"demo", "--port=0"}, settings...)...)
	text, err := os.ReadFile(secret)
	must(t, err)
	hidden := []string{strings.TrimSpace(string(text))}
	tokens := []string{aToken(t, "--secret-file", secret), aToken(t, "--secret-file", secret, "--life=20h"), aToken(t, "--secret-file", aSecret(t)), "hunter2.hunter2.hunter2", "hunter2"}
	var all strings.Builder
	for _, token := range tokens {
		hidden = append(hidden, strings.Split(token, ".")[1:]...)
		hidden = append(hidden, token)
		for _, path := range []string{
			queueStream("primary.a"), queueStream("#"), queueStream("primary.a") + "&token=" + token, queueStream("primary.a") + "&token=" + token + "&token=" + token,
			"/api/events/v1/connect/?token=" + token, "/api/events/v1/connect/?bindings=nonsense&token=" + token, "/api/events/v1/ping?token=" + token,
			"/nowhere?token=" + token, "/?token=" + token, queueStream("primary.a") + "&lastEventId=-&token=" + token,
		} {
			for _, headers := range []map[string]string{nil, bearer(token), {"Cookie": "events=" + token}, {"Cookie": "events=" + token, "Origin": pageOfUse}, {"Authorization": token}} {
				events.readFor(&all, path, headers)
			}
		}
	}
	for _, path := range []string{"/", "/metrics", "/__tree__", "/__version__", "/__heartbeat__"} {
		all.WriteString(events.operators(path))
	}
	config := execute(t, []string{"PULSE_URL=" + noBroker, "EVENTS_TOKEN=" + tokens[0]}, append([]string{"config"}, settings...)...)
	events.signal(syscall.SIGTERM)
	events.ends(succeeded)
	all.WriteString(config.stdout + config.stderr + events.out.String())
	if !strings.Contains(all.String(), "not admitted") || !strings.Contains(all.String(), `"subject":"ada"`) {
		t.Fatal("the search is blind: there is no refusal in the log, or no stream in the tree")
	}
	for _, word := range hidden {
		if i := strings.Index(all.String(), word); i >= 0 {
			t.Errorf("found: %s", all.String()[max(0, i-200):min(all.Len(), i+100)])
		}
	}
}

// readFor reads what a request is answered, head and body, up to the first event of a stream that is
// opened, which stays open.
func (in *instance) readFor(all *strings.Builder, path string, headers map[string]string) {
	in.t.Helper()
	request, err := http.NewRequestWithContext(in.t.Context(), "GET", in.url+path, nil)
	must(in.t, err)
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	must(in.t, err)
	in.t.Cleanup(func() { answer.Body.Close() })
	for name, values := range answer.Header {
		all.WriteString(name + ": " + strings.Join(values, ", ") + "\n")
	}
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
		_, err := io.Copy(all, answer.Body)
		must(in.t, err)
		return
	}
	for f := range frames(answer.Body) {
		all.WriteString(f.name + ": " + f.data + "\n")
		if f.name == "ready" {
			return
		}
	}
}

package inspector

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/access"
	"github.com/taskcluster/events-proxy/test/browser"
)

// A person with a token pastes it and listens, on a server that asks for one, for as long as the token
// lives; it is neither in the link and the code that people pass on, nor kept for the next visit.
func TestATokenIsPastedUsedAndForgotten(t *testing.T) {
	secret := []byte(rand.Text() + rand.Text())
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	guard, err := access.New(access.Options{SecretFile: file})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := access.NewSecretSigner(secret, "")
	if err != nil {
		t.Fatal(err)
	}
	sign := func(life time.Duration) string {
		token, err := signer.Sign(access.NewClaims("ada", time.Now().Add(life), access.Grant{Exchange: completed, Pattern: "#"}))
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	s := serveAt(t, actors.Options{}, httpapi.Options{Admit: guard.Admit})
	b := open(t, s.proxy.URL+link(completed, "#"))
	b.AwaitText("#notice", "Unauthorized")
	b.Await(`document.querySelector('#token-fold').open`)
	token := sign(time.Hour)
	b.Fill("#token", token)
	b.Click("#start")
	b.AwaitState("live")
	s.publish(completed, "first", `{"text": "snow ❄ and\nlines"}`)
	b.Await(`document.querySelector('.body .row:not([hidden]) .key-text')?.textContent === 'first'`)
	b.Click("#tab-code")
	for where, text := range map[string]string{
		"the page": browser.Value[string](b.Tab, "document.documentElement.outerHTML"), "the address": browser.Value[string](b.Tab, "location.href"),
		"what is kept": browser.Value[string](b.Tab, "JSON.stringify({...localStorage, ...sessionStorage}) + document.cookie"),
	} {
		if strings.Contains(text, token[len(token)-20:]) {
			t.Errorf("%s holds the token", where)
		}
	}
	b.Click("#stop")
	b.AwaitState("stopped")
	for life := 8 * time.Second; ; life *= 2 { // on a busy machine it expires before it is used
		b.Fill("#token", sign(life))
		b.Click("#start")
		b.Await(`/TokenExpired|Unauthorized/.test(document.querySelector('#notice')?.innerText)`)
		if life > time.Minute || strings.Contains(browser.Value[string](b.Tab, "document.querySelector('#notice').innerText"), "TokenExpired") {
			break
		}
	}
	b.AwaitText("#notice", "TokenExpired")
	b.visit(s.proxy.URL + stoppedLink(completed, "#"))
	if kept := browser.Value[string](b.Tab, "document.querySelector('#token').value"); kept != "" {
		t.Error("the next visit finds the token")
	}
}

// Chunks of the network end anywhere, within a character too: a stream that is read with a token shows
// the same as an EventSource.
func TestAStreamWithATokenIsReadAsAnEventSourceReadsIt(t *testing.T) {
	s := serve(t, actors.Options{})
	b := open(t, s.proxy.URL+"/")
	got := browser.Value[string](b.Tab, `(async () => {
		const { TokenSource } = await import('/inspector/inspector/tokensource.js');
		const bytes = new TextEncoder().encode(': comment\n\nevent: message\r\ndata: {"a":"❄"}\nid: -\n\nevent: ready\ndata:\n\ndata: one\ndata:two\n\nevent: error\ndata: {}\n\n');
		const real = window.fetch;
		const seen = [];
		window.fetch = async (url, { headers }) => {
			seen.push(headers.Authorization);
			return new Response(new ReadableStream({ start(to) { for (const byte of bytes) to.enqueue(Uint8Array.of(byte)); to.close(); } }));
		};
		const source = new TokenSource('/', 'x');
		window.fetch = real;
		await new Promise((done) => {
			for (const name of ['message', 'ready', 'error']) {
				source.addEventListener(name, ({ data }) => {
					seen.push(name + ' ' + data);
					if (name === 'error' && data === undefined) done();
				});
			}
		});
		return seen.join('|');
	})()`)
	if want := `Bearer x|message {"a":"❄"}|ready |message one` + "\n" + `two|error {}|error undefined`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

package tail

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A load balancer that hashes the URL sends equal sets of bindings to one
// process, however they were typed.
func TestEqualSetsOfBindingsHaveEqualURLs(t *testing.T) {
	source := func(args ...string) string {
		p, err := NewProxy("https://tc.example.org/", bindings(t, args...), ProxyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return p.URL()
	}
	want := source("exchange/b", "exchange/a:z", "exchange/a:<b>.#")
	for _, args := range [][]string{
		{"exchange/a:z", "exchange/b:#", "exchange/a:<b>.#", "exchange/b"},
		{`{"routingKeyPattern":"<b>.#", "exchange":"exchange/a"}`, "exchange/b", "exchange/a:z"},
	} {
		if got := source(args...); got != want {
			t.Errorf("%q: %s, want %s", args, got, want)
		}
	}
	u, err := url.Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	var sent struct{ Bindings []amqp.Binding }
	if err := json.Unmarshal([]byte(u.Query().Get("bindings")), &sent); err != nil || len(sent.Bindings) != 3 || sent.Bindings[0].Pattern != "<b>.#" {
		t.Errorf("%v %v", sent, err)
	}
}

func TestBindingsThatCannotBeAreRefused(t *testing.T) {
	for _, args := range [][]string{nil, {""}, {":a"}, {strings.Repeat("x", 256)}, {"e:\n"}, {`{"exchange":"e","pattern":"#"}`}, {"{"}, {`{"exchange":"e"}{}`}} {
		if list, err := ParseBindings(args); err == nil {
			t.Errorf("%q: %v", args, list)
		}
	}
}

func TestAProxysURL(t *testing.T) {
	for given, want := range map[string]string{
		"http://localhost:12345":                          "http://localhost:12345/api/events/v1/connect/",
		"https://tc.example.org/":                         "https://tc.example.org/api/events/v1/connect/",
		"https://tc.example.org/sub/":                     "https://tc.example.org/sub/api/events/v1/connect/",
		"https://tc.example.org/v1/connect":               "https://tc.example.org/v1/connect/",
		"https://tc.example.org/api/events/v1/connect/?b": "https://tc.example.org/api/events/v1/connect/",
	} {
		p, err := NewProxy(given, nil, ProxyOptions{})
		if err != nil {
			t.Errorf("%s: %v", given, err)
		} else if got, _, _ := strings.Cut(p.URL(), "?"); got != want {
			t.Errorf("%s: %s", given, got)
		}
	}
	for _, wrong := range []string{"", "localhost:12345", "ftp://a", "http://", "amqp://a"} {
		if _, err := NewProxy(wrong, nil, ProxyOptions{}); err == nil {
			t.Errorf("%q was accepted", wrong)
		}
	}
}

// The rules that the help promises.
func TestWhatAFilterTakes(t *testing.T) {
	const message = `{"payload":{"n":1.10,"state":"completed","list":["a","b"]},"exchange":"e"}`
	for program, want := range map[string]string{
		`.payload.state == "completed"`:        message,
		`.payload.state == "failed"`:           "",
		`.payload.missing`:                     "",
		`empty`:                                "",
		`select(.payload.state | test("^c"))`:  message,
		`.`:                                    message,
		`.payload.n`:                           `1.10`,
		`.payload.list[]`:                      `"a" "b"`,
		`.payload | {state}`:                   `{"state":"completed"}`,
		`.payload.state, false, null, "x"`:     `"completed" "x"`,
		`.payload.list[] | select(. != "a")`:   `"b"`,
		`"\(.exchange) \(.payload.list[0])"`:   `"e a"`,
		`.payload.n += 1 | .payload.n`:         `2.1`,
		`$ENV.HOME // "the environment is no"`: `"the environment is no"`,
	} {
		var taken []string
		if err := compiled(t, program).apply(t.Context(), []byte(message), func(text []byte) error {
			taken = append(taken, string(text))
			return nil
		}); err != nil || strings.Join(taken, " ") != want {
			t.Errorf("%s: %q, %v", program, taken, err)
		}
	}
	for _, wrong := range []string{"", ".foo |", "nosuch(1)", "$x", "input"} {
		if _, err := NewFilter(wrong); wrong != "" && err == nil {
			t.Errorf("%q was accepted", wrong)
		}
	}
}

// Where the service says over which time, its word counts; else each failure
// doubles the wait. Jitter begins at nothing: a herd must not come in step.
func TestTheWaitBeforeTheNextStream(t *testing.T) {
	b := backoff{first: time.Second, most: 10 * time.Second, random: func() float64 { return 1 }}
	for i, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
		if got := b.next(&Loss{}); got != want*time.Second {
			t.Errorf("wait %d is %v", i, got)
		}
	}
	for range 100 {
		b.next(&Loss{})
	}
	b.reset()
	if got := b.next(&Loss{Spread: 30 * time.Millisecond}); got != 30*time.Millisecond {
		t.Errorf("the service's word: %v", got)
	}
	if got := b.next(&Loss{Spread: time.Minute, Least: time.Second}); got != 61*time.Second {
		t.Errorf("its word again: %v", got)
	}
	if b.random = func() float64 { return 0 }; b.next(&Loss{Spread: time.Hour}) != 0 {
		t.Error("the jitter is not full")
	}
}

// A publisher's text must not move a reader's cursor or clear the screen.
func TestNothingOfAMessageIsObeyedByATerminal(t *testing.T) {
	for name, o := range map[string]Options{"columns": {Columns: 80, Color: true}, "raw": {Columns: 80, Raw: true}} {
		var out strings.Builder
		o.Out = &out
		p := newPrinter(o)
		evil := "\x1b[2J\u009b2J\u202e\a"
		for _, text := range []string{
			fmt.Sprintf(`{"payload":%s,"exchange":%s,"routingKey":%s}`, quoted(evil), quoted("x/"+evil), quoted(evil)),
			quoted(evil),
			`"` + evil[5:] + `"`,
		} {
			if err := p.message([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		shown := strings.NewReplacer("\x1b[2m", "", "\x1b[0m", "").Replace(out.String())
		for _, c := range others {
			shown = strings.ReplaceAll(shown, "\x1b["+c+"m", "")
		}
		if i := strings.IndexAny(shown, "\x1b\u009b\u202e\a"); i >= 0 {
			t.Errorf("%s: %q at %d of %q", name, shown[i:i+1], i, shown)
		}
	}
}

func quoted(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// A line never wraps, whatever the message holds; what is most wanted is there.
func TestALineFitsTheTerminal(t *testing.T) {
	for _, columns := range []int{40, 80, 200} {
		var out strings.Builder
		p := newPrinter(Options{Columns: columns, Out: &out})
		for _, m := range []struct{ exchange, key string }{{"exchange/tc/task-completed", "primary.x"}, {"exchange/tc/task-completed", strings.Repeat("primary.", 31)}, {strings.Repeat("ü", 120), "ü"}} {
			text := fmt.Sprintf(`{"payload":{"a":%s},"exchange":%s,"routingKey":%s}`, quoted(strings.Repeat("ä", 300)), quoted(m.exchange), quoted(m.key))
			if err := p.message([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.message([]byte(`"` + strings.Repeat("x", 300) + `"`)); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > columns {
				t.Errorf("%d characters of %d: %s", n, columns, line)
			}
		}
		if columns > 40 && !strings.Contains(out.String(), "  task-completed  primary.") {
			t.Errorf("%s", out.String())
		}
	}
}

func TestRawWritesThePayloadAlone(t *testing.T) {
	var out strings.Builder
	p := newPrinter(Options{Raw: true, Out: &out})
	for _, text := range []string{`{"payload":{"b":1,"a":2},"exchange":"e","routingKey":""}`, `{"payload":"one\ntwo","exchange":"e","routingKey":"k"}`, `"text"`, `[1]`, `{"exchange":"of a filter"}`} {
		if err := p.message([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if got := out.String(); got != "{\"b\":1,\"a\":2}\none\ntwo\ntext\n[1]\n{\"exchange\":\"of a filter\"}\n" {
		t.Errorf("%q", got)
	}
}

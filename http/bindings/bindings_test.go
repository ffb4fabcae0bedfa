package bindings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The original service's messages, to the letter.
const (
	oneKey     = "The json query should have only one key i.e. `bindings`."
	array      = "Bindings must be an array of {exchange, routingKeyPattern}"
	bothFields = "Binding must include `exchange` and `routingKeyPattern` fields"
)

func parse(value string) ([]amqp.Binding, error) {
	return Parse("bindings=" + url.QueryEscape(value))
}

// element returns bindings with one good element and one other.
func element(other string) string {
	return `{"bindings":[{"exchange":"e","routingKeyPattern":"#"},` + other + `]}`
}

// The contract's table of what the parameter may be.
func TestBadBindingsAreNamed(t *testing.T) {
	for _, c := range []struct{ row, text, want string }{
		{"not JSON", `{"bindings":[}`, "not JSON: invalid character '}' looking for beginning of value, at byte 14"},
		{"cut JSON", `{"bindings":[`, "unexpected end of JSON input, at byte 13"},
		{"text after the JSON", `{"bindings":[]} x`, "invalid character 'x' after top-level value, at byte 17"},
		{"two values", `{"bindings":[]}{}`, "after top-level value"},
		{"another key", `{"bindings":[],"a":1}`, oneKey},
		{"another key first", `{"a":1,"bindings":[]}`, oneKey},
		{"another key alone", `{"binding":[]}`, oneKey},
		{"a key in other case", `{"Bindings":[]}`, oneKey},
		{"the key twice", `{"bindings":[],"bindings":[]}`, oneKey},
		{"no key", `{}`, oneKey},
		{"an array", `[]`, oneKey},
		{"a string", `"bindings"`, oneKey},
		{"null", `null`, oneKey},
		{"bindings is an object", `{"bindings":{}}`, array},
		{"bindings is a string", `{"bindings":"x"}`, array},
		{"bindings is null", `{"bindings":null}`, array},
		{"element is a string", element(`"x"`), "bindings[1]: " + bothFields},
		{"element is null", element(`null`), "bindings[1]: " + bothFields},
		{"element is an array", element(`[]`), "bindings[1]: " + bothFields},
		{"element is empty", element(`{}`), "bindings[1]: " + bothFields},
		{"no pattern", element(`{"exchange":"e"}`), "bindings[1]: " + bothFields},
		{"no exchange", element(`{"routingKeyPattern":"#"}`), "bindings[1]: " + bothFields},
		{"the original's old name", element(`{"exchange":"e","routingKey":"#"}`), "bindings[1]: " + bothFields},
		{"a field twice", element(`{"exchange":"e","exchange":"f","routingKeyPattern":"#"}`), "bindings[1]: exchange is there twice"},
		{"exchange is a number", element(`{"exchange":1,"routingKeyPattern":"#"}`), "bindings[1]: exchange is not a string"},
		{"exchange is null", element(`{"exchange":null,"routingKeyPattern":"#"}`), "bindings[1]: exchange is not a string"},
		{"pattern is an object", element(`{"exchange":"e","routingKeyPattern":{}}`), "bindings[1]: routingKeyPattern is not a string"},
		{"exchange is empty", element(`{"exchange":"","routingKeyPattern":"#"}`), "bindings[1]: exchange is empty"},
		{"exchange is long", element(`{"exchange":"` + long(256) + `","routingKeyPattern":"#"}`), "bindings[1]: exchange is 256 bytes long, at most 255"},
		{"pattern is long in bytes", element(`{"exchange":"e","routingKeyPattern":"` + strings.Repeat("é", 128) + `"}`), "bindings[1]: routingKeyPattern is 256 bytes long"},
		{"exchange holds a control character", element(`{"exchange":"a\u0000b","routingKeyPattern":"#"}`), "bindings[1]: exchange holds a control character"},
		{"pattern holds a line break", element(`{"exchange":"e","routingKeyPattern":"a\nb"}`), "bindings[1]: routingKeyPattern holds a control character"},
		{"exchange is not UTF-8", element("{\"exchange\":\"a\xffb\",\"routingKeyPattern\":\"#\"}"), "bindings[1]: exchange is not UTF-8"},
		{"pattern is half a surrogate pair", element(`{"exchange":"e","routingKeyPattern":"\ud83d"}`), "bindings[1]: routingKeyPattern is not UTF-8"},
		{"pattern is the other half", element(`{"exchange":"e","routingKeyPattern":"a\ude00\ud83d"}`), "bindings[1]: routingKeyPattern is not UTF-8"},
		{"halves that do not match", element(`{"exchange":"e","routingKeyPattern":"\ud83d\u0041"}`), "bindings[1]: routingKeyPattern is not UTF-8"},
	} {
		t.Run(c.row, func(t *testing.T) {
			bindings, err := parse(c.text)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want %q", bindings, err, c.want)
			}
		})
	}
}

func TestTheParameterItselfIsNamed(t *testing.T) {
	for _, c := range []struct{ row, query, want string }{
		{"missing", "", "`bindings` is missing"},
		{"missing beside others", "binding=x&a", "`bindings` is missing"},
		{"empty", "bindings=", "`bindings` is empty"},
		{"without a value", "bindings", "`bindings` is empty"},
		{"blank", "bindings=%20+", "`bindings` is empty"},
		{"twice", "bindings=x&bindings=y", "`bindings` is there 2 times"},
		{"bad escapes", "bindings=%7B%zz", "`bindings` is not URL-encoded"},
		{"the inspector's old links", "bindings%5B0%5D%5Bexchange%5D=e", "`bindings` is missing"},
	} {
		t.Run(c.row, func(t *testing.T) {
			if _, err := Parse(c.query); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want %q", err, c.want)
			}
		})
	}
}

func TestGoodBindingsAreUnderstood(t *testing.T) {
	e, f := amqp.Binding{Exchange: "e", Pattern: "#"}, amqp.Binding{Exchange: "f", Pattern: ""}
	for text, want := range map[string][]amqp.Binding{
		`{"bindings":[]}`: {}, // whether none will do is the system's to say
		`{"bindings":[{"exchange":"e","routingKeyPattern":"#"}]}`:                                                             {e},
		` { "bindings" : [ { "exchange" : "e" , "routingKeyPattern" : "#" } ] } `:                                             {e},
		`{"bindings":[{"routingKeyPattern":"#","exchange":"e"},{"exchange":"f","routingKeyPattern":""}]}`:                     {e, f},
		`{"bindings":[{"exchange":"e","routingKeyPattern":"#"},{"exchange":"e","routingKeyPattern":"#"}]}`:                    {e},
		`{"bindings":[{"exchange":"e","routingKeyPattern":"#","routingKeyReference":[{"a":1}],"Exchange":2}]}`:                {e},
		`{"bindings":[{"exchange":"\ud83d\ude00\ufffd\\ud83d","routingKeyPattern":"` + "\u00e9;&=+%" + `"}]}`:                 {{Exchange: "😀\ufffd\\ud83d", Pattern: "é;&=+%"}},
		`{"bindings":[{"exchange":"` + long(255) + `","routingKeyPattern":"` + long(255) + `"}]}`:                             {{Exchange: long(255), Pattern: long(255)}},
		`{"bindings":[{"exchange":"exchange/taskcluster-queue/v1/task-completed","routingKeyPattern":"primary.*.#.<x>\"'"}]}`: {{Exchange: "exchange/taskcluster-queue/v1/task-completed", Pattern: `primary.*.#.<x>"'`}},
	} {
		if got, err := parse(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
}

func TestOtherParametersAreOfNoConcern(t *testing.T) {
	good := url.QueryEscape(`{"bindings":[{"exchange":"e","routingKeyPattern":"#"}]}`)
	for _, query := range []string{"a=%zz&%zz=b&bindings=" + good + "&x;y=1", "&&bindings=" + good + "&&", "bindings=" + good + "&lastEventId="} {
		if bindings, err := Parse(query); err != nil || len(bindings) != 1 {
			t.Errorf("%s: got %v, %v", query, bindings, err)
		}
	}
}

// curl users do not always encode every byte.
func TestAQueryThatIsHardlyEncodedIsUnderstood(t *testing.T) {
	bindings, err := Parse(`bindings={"bindings":[{"exchange":"e;f","routingKeyPattern":"a.*"}]}`)
	if err != nil || len(bindings) != 1 || bindings[0] != (amqp.Binding{Exchange: "e;f", Pattern: "a.*"}) {
		t.Errorf("got %v, %v", bindings, err)
	}
}

// What takes JSON apart finds what encoding/json finds.
func FuzzEveryPartOfTheJSONIsFound(f *testing.F) {
	for _, text := range []string{
		`{"a":1,"b":[true,null,{"c":"]}\\\""}],"d":-1e5}`, ` [ 1 , "x" , [ ] , { } , false ] `, `{}`, `[]`, `null`, `" "`, `[[[["a"]]],{"a":{"b":[]}}]`,
		`{"\u0061":1}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			t.Skip("not JSON")
		}
		value := bytes.TrimSpace([]byte(text))
		var elements []json.RawMessage
		var found [][]byte
		for part := range parts(value, '[') {
			found = append(found, part)
		}
		if json.Unmarshal(value, &elements) != nil {
			elements = nil // no array
		}
		if !slices.EqualFunc(found, elements, func(a []byte, b json.RawMessage) bool { return string(a) == string(b) }) {
			t.Errorf("found %q, want %q", found, elements)
		}
		var object map[string]json.RawMessage
		_ = json.Unmarshal(value, &object)
		keys := map[string]bool{}
		for key, value := range fields(value) {
			if _, there := object[key]; (!there && key != "") || !json.Valid(value) {
				t.Errorf("field %q is %q", key, value)
			}
			keys[key] = true
		}
		for key := range object {
			if !keys[key] && !keys[""] { // a key that is no text comes out empty
				t.Errorf("field %q was not found", key)
			}
		}
	})
}

// Whatever the query, nothing but valid, distinct bindings comes through, and
// a complaint is a short line of text.
func FuzzOnlyValidBindingsComeThrough(f *testing.F) {
	for _, text := range []string{
		`{"bindings":[{"exchange":"e","routingKeyPattern":"#"}]}`, `{"bindings":[{"exchange":"\ud83d\ude00","routingKeyPattern":"\\\""}]}`,
		`{"bindings":[{"exchange":"\ud83d","routingKeyPattern":"\u"}]}`, `{"bindings":null}`, `[]`, `{"a":`, "\xff", element(`{}`), `{"bindings":[1,{}]}`,
	} {
		f.Add("bindings=" + url.QueryEscape(text))
		f.Add("bindings=" + text)
	}
	f.Add("bindings=%&lastEventId=-&bindings")
	f.Fuzz(func(t *testing.T, raw string) {
		bindings, err := Parse(raw)
		if err != nil {
			if len(bindings) > 0 || strings.ContainsAny(err.Error(), "\r\n") || err.Error() == "" {
				t.Errorf("%v with %q", bindings, err)
			}
			return
		}
		seen := map[amqp.Binding]bool{}
		for _, b := range bindings {
			if err := b.Validate(); err != nil || seen[b] || !utf8.ValidString(b.Exchange+b.Pattern) {
				t.Errorf("%v came through: %v", b, err)
			}
			seen[b] = true
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var elements []string
			for i := range n {
				elements = append(elements, fmt.Sprintf(`{"exchange":"exchange/taskcluster-queue/v1/task-completed","routingKeyPattern":"primary.%d.#"}`, i))
			}
			raw := "bindings=" + url.QueryEscape(`{"bindings":[`+strings.Join(elements, ",")+`]}`)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func long(n int) string { return strings.Repeat("x", n) }

package actors

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// bodies are message bodies, and what stands for them in the message's JSON,
// byte by byte.
var bodies = []struct{ name, body, payload, encoding string }{
	{"an object", `{"status":{"taskId":"a"}}`, `{"status":{"taskId":"a"}}`, ""},
	{"white space between tokens", " {\r\n\t\"a\" : [ 1 , 2 ] }\n", `{"a":[1,2]}`, ""},
	{"white space in strings", `{"a b":" c\td "}`, `{"a b":" c\td "}`, ""},
	{"numbers as they are", `[9007199254740993,1e400,-0,0.10,1E+2,123456789012345678901234567890]`, `[9007199254740993,1e400,-0,0.10,1E+2,123456789012345678901234567890]`, ""},
	{"escapes as they are", `"\u00e9\/\ud83d\ude00\u0000\n"`, `"\u00e9\/\ud83d\ude00\u0000\n"`, ""},
	{"half a surrogate pair", `"\ud800"`, `"\ud800"`, ""},
	{"the same key twice", `{"a":1,"a":2}`, `{"a":1,"a":2}`, ""},
	{"no HTML escaping", `"<a href='?a&b'>"`, `"<a href='?a&b'>"`, ""},
	{"line separators of JavaScript", "\"\u2028\u2029\"", "\"\u2028\u2029\"", ""},
	{"characters beyond ASCII", `"žluťoučký 😀"`, `"žluťoučký 😀"`, ""},
	{"a scalar", `null`, `null`, ""},
	{"nothing", ``, `""`, "utf-8"},
	{"white space alone", " \n", `" \n"`, "utf-8"},
	{"text", "hello\r\n\"world\"\\", `"hello\r\n\"world\"\\"`, "utf-8"},
	{"two documents", `{} {}`, `"{} {}"`, "utf-8"},
	{"half a document", `{"a":`, `"{\"a\":"`, "utf-8"},
	{"a byte order mark", "\ufeff{}", "\"\ufeff{}\"", "utf-8"},
	{"NUL in text", "a\x00b", `"a\u0000b"`, "utf-8"},
	{"line separators in text", "a\u2028b", `"a\u2028b"`, "utf-8"},
	{"HTML in text", "<a&b>", `"<a&b>"`, "utf-8"},
	{"bytes that are not UTF-8", "\xff\xfe\x00", `"//4A"`, "base64"},
	{"JSON around bytes that are not UTF-8", "\"\xff\"", `"Iv8i"`, "base64"},
}

func TestABodyTravelsAsItselfOrAsAString(t *testing.T) {
	for _, c := range bodies {
		t.Run(c.name, func(t *testing.T) {
			m, encoding := encode(amqp.Delivery{Body: []byte(c.body)}, 1000)
			note := ""
			if c.encoding != "" {
				note = `,"payloadEncoding":"` + c.encoding + `"`
			}
			want := `{"payload":` + c.payload + note + `,"exchange":"","routingKey":"","redelivered":false,"routes":[]}`
			if string(m.JSON) != want || encoding != c.encoding {
				t.Fatalf("have %s\nwant %s", m.JSON, want)
			}
			if string(m.Body) != c.body {
				t.Fatalf("the body itself is %q", m.Body)
			}
		})
	}
}

// A message over the operator's limit is announced with its size.
func TestALargeBodyIsOmitted(t *testing.T) {
	body := []byte(`"` + strings.Repeat("x", 100) + `"`)
	m, encoding := encode(amqp.Delivery{Body: body}, 101)
	want := `{"payload":null,"payloadEncoding":"omitted","payloadBytes":102,"exchange":"","routingKey":"","redelivered":false,"routes":[]}`
	if string(m.JSON) != want || encoding != "omitted" || m.Body != nil {
		t.Fatalf("have %s with a body of %d bytes\nwant %s", m.JSON, len(m.Body), want)
	}
	if m, _ := encode(amqp.Delivery{Body: body}, 102); bytes.Contains(m.JSON, []byte("omitted")) {
		t.Fatal("a body of exactly the limit is omitted")
	}
}

// What stands around the body may hold anything that AMQP allows.
func TestRoutingIsQuotedAsJSON(t *testing.T) {
	m, _ := encode(amqp.Delivery{
		Exchange: `exchange/"quoted"`, RoutingKey: "a\x00\n\u2028\\<é>\xff", Redelivered: true,
		CC: []string{"route.a", "no.route", "route.", "route.\"b\"", "Route.c"}, Body: []byte("{}"),
	}, 100)
	want := `{"payload":{},"exchange":"exchange/\"quoted\"","routingKey":"a\u0000\n\u2028\\<é>\ufffd","redelivered":true,"routes":["a","","\"b\""]}`
	if string(m.JSON) != want {
		t.Fatalf("have %s\nwant %s", m.JSON, want)
	}
	if !slices.Equal(m.Routes, []string{"a", "", `"b"`}) {
		t.Fatalf("routes %q", m.Routes)
	}
}

// Taskcluster's queue sends this many to a task of many routes.
func TestSixtyRoutesAreKeptInOrder(t *testing.T) {
	var cc, want []string
	for i := range 60 {
		cc = append(cc, fmt.Sprintf("route.index.%d.%s", i, strings.Repeat("x", 200)))
		want = append(want, strings.TrimPrefix(cc[i], "route."))
	}
	m, _ := encode(amqp.Delivery{CC: cc, Body: []byte("{}")}, 100)
	var read struct{ Routes []string }
	if err := json.Unmarshal(m.JSON, &read); err != nil || !slices.Equal(read.Routes, want) {
		t.Fatalf("%v: %q", err, read.Routes)
	}
}

// A body may be shared by many queues: encoding one delivery must not change it.
func TestEncodingChangesNothingOfTheDelivery(t *testing.T) {
	d := amqp.Delivery{Body: []byte(" { } "), CC: []string{"route.a", "b"}}
	body, cc := bytes.Clone(d.Body), slices.Clone(d.CC)
	m, _ := encode(d, 100)
	m.Routes[0] = "changed"
	if !bytes.Equal(d.Body, body) || !slices.Equal(d.CC, cc) {
		t.Fatalf("now %q, %q", d.Body, d.CC)
	}
}

// decoded reads a message as a client does.
type decoded struct {
	Payload              json.RawMessage
	PayloadEncoding      string
	PayloadBytes         int
	Exchange, RoutingKey string
	Redelivered          bool
	Routes               []string
}

// Whatever anybody publishes, the result is one line of JSON from which the
// body can be had again.
func FuzzAnyDeliveryIsOneLineOfJSON(f *testing.F) {
	for _, c := range bodies {
		f.Add([]byte(c.body), "exchange/a", "a.b", "route.x", true)
	}
	f.Add([]byte(strings.Repeat("[", 20_000)), "\xff", "\r\n", "route.\u2028", false)
	f.Fuzz(func(t *testing.T, body []byte, exchange, key, cc string, redelivered bool) {
		const limit = 1 << 10
		d := amqp.Delivery{Body: body, Exchange: exchange, RoutingKey: key, CC: []string{cc}, Redelivered: redelivered, Tag: 7}
		m, encoding := encode(d, limit)
		if bytes.ContainsAny(m.JSON, "\r\n") || !utf8.Valid(m.JSON) {
			t.Fatalf("no line of text: %q", m.JSON)
		}
		reader := json.NewDecoder(bytes.NewReader(m.JSON))
		reader.DisallowUnknownFields()
		var read decoded
		if err := reader.Decode(&read); err != nil || reader.More() {
			t.Fatalf("no JSON: %v: %q", err, m.JSON)
		}
		if read.Exchange != valid(exchange) || read.RoutingKey != valid(key) || read.Redelivered != redelivered || read.Routes == nil {
			t.Fatalf("the routing is %+v", read)
		}
		if read.PayloadEncoding != encoding || m.tag != 7 {
			t.Fatalf("the encoding is %q, not %q", read.PayloadEncoding, encoding)
		}
		if back := restored(t, read, len(body)); back != nil && !bytes.Equal(back, plainBody(body)) {
			t.Fatalf("the body %q comes back as %q", body, back)
		}
	})
}

// valid is what a string that is not UTF-8 becomes.
func valid(s string) string { return strings.ToValidUTF8(string([]rune(s)), "\ufffd") }

// plainBody is the body without the white space that may go.
func plainBody(body []byte) []byte {
	var compact bytes.Buffer
	if utf8.Valid(body) && json.Compact(&compact, body) == nil {
		return compact.Bytes()
	}
	return body
}

// restored is the body as a client gets it back; nil where it was omitted.
func restored(t *testing.T, read decoded, size int) []byte {
	var text string
	switch read.PayloadEncoding {
	case "":
		return read.Payload
	case "omitted":
		if string(read.Payload) != "null" || read.PayloadBytes != size {
			t.Fatalf("an omitted body is announced as %+v", read)
		}
		return nil
	}
	if err := json.Unmarshal(read.Payload, &text); err != nil {
		t.Fatal(err)
	}
	if read.PayloadEncoding == "utf-8" {
		return []byte(text)
	}
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// A message that waits holds its bytes once: the body is a part of the JSON where that is possible.
func TestACompactBodyIsHeldOnce(t *testing.T) {
	m, _ := encode(amqp.Delivery{Body: []byte(`{"a":[1,2]}`), CC: []string{"route.x"}}, 1<<20)
	if string(m.Body) != `{"a":[1,2]}` || m.apart != 0 || &m.Body[0] != &m.JSON[len(`{"payload":`)] {
		t.Errorf("body %q, %d bytes apart from %q", m.Body, m.apart, m.JSON)
	}
	for _, body := range []string{`{"a": [1, 2]}`, "text", "\xff"} {
		if m, _ = encode(amqp.Delivery{Body: []byte(body)}, 1<<20); string(m.Body) != body || m.apart != len(body) {
			t.Errorf("body %q, %d bytes apart from %q", m.Body, m.apart, m.JSON)
		}
	}
}

package actors

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// How the body of a message travels in its JSON, where it is not JSON itself.
const (
	encodingUTF8    = "utf-8"   // payload is the body's text, in a string
	encodingBase64  = "base64"  // payload is the body's bytes, in a string
	encodingOmitted = "omitted" // the body is over the operator's limit: payload is null, payloadBytes its size
)

// encode returns the message of a delivery, and how its payload is encoded ("" for JSON). It is the
// one place where a message's JSON is produced, for every reader:
//
//	{"payload":{"status":{}},"exchange":"exchange/…","routingKey":"a.b","redelivered":false,"routes":["index.x"]}
//
// It cannot fail: a body that is not JSON becomes a string, one of more than maxBytes is announced
// with its size. The body's JSON keeps its numbers and escapes as they are; only white space
// between the tokens is removed.
func encode(d amqp.Delivery, maxBytes int) (m *Message, encoding string) {
	m = newMessage(d, maxBytes)
	return m, m.encode(maxBytes)
}

// newMessage returns the message of a delivery, without its JSON.
func newMessage(d amqp.Delivery, maxBytes int) *Message {
	m := &Message{
		Exchange: d.Exchange, RoutingKey: d.RoutingKey, Redelivered: d.Redelivered,
		Routes: routes(d.CC), Body: d.Body, received: int64(time.Since(start)), tag: d.Tag,
	}
	m.limit(maxBytes)
	return m
}

// limit leaves out a body of more than maxBytes.
func (m *Message) limit(maxBytes int) {
	if len(m.Body) > maxBytes {
		m.Body, m.omitted = nil, len(m.Body)
	} else if m.Body != nil {
		m.omitted = 0
	}
}

// encode makes the message's JSON, and returns how its payload is encoded.
func (m *Message) encode(maxBytes int) (encoding string) {
	m.limit(maxBytes)
	var b bytes.Buffer
	b.Grow(len(m.Body) + len(m.Exchange) + len(m.RoutingKey) + 96)
	b.WriteString(`{"payload":`)
	start := b.Len()
	encoding = m.payload(&b)
	end := b.Len()
	if encoding != "" {
		b.WriteString(`,"payloadEncoding":"` + encoding + `"`)
	}
	if encoding == encodingOmitted {
		b.WriteString(`,"payloadBytes":` + strconv.Itoa(m.omitted))
	}
	b.WriteString(`,"exchange":`)
	quote(&b, m.Exchange)
	b.WriteString(`,"routingKey":`)
	quote(&b, m.RoutingKey)
	b.WriteString(`,"redelivered":` + strconv.FormatBool(m.Redelivered) + `,"routes":[`)
	for i, route := range m.Routes {
		if i > 0 {
			b.WriteByte(',')
		}
		quote(&b, route)
	}
	b.WriteString(`]}`)
	m.JSON = b.Bytes()
	m.shareBody(start, end, encoding)
	return encoding
}

// shareBody makes the body a part of the JSON where it stands in it as it is, from start to end, so
// that a message that waits holds its bytes once.
func (m *Message) shareBody(start, end int, encoding string) {
	if encoding == "" && end-start == len(m.Body) { // nothing was removed
		m.Body = m.JSON[start:end:end]
		return
	}
	m.apart = len(m.Body)
}

// payload writes the body, and returns its encoding where it is not JSON, else "".
func (m *Message) payload(b *bytes.Buffer) (encoding string) {
	body := m.Body
	if m.omitted > 0 {
		b.WriteString("null")
		return encodingOmitted
	}
	if !utf8.Valid(body) {
		b.WriteByte('"')
		b.Write(base64.StdEncoding.AppendEncode(nil, body))
		b.WriteByte('"')
		return encodingBase64
	}
	start := b.Len()
	if json.Compact(b, body) == nil {
		return ""
	}
	b.Truncate(start)
	quote(b, string(body))
	return encodingUTF8
}

// quote writes s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func quote(b *bytes.Buffer, s string) {
	if plain(s) {
		b.WriteByte('"')
		b.WriteString(s)
		b.WriteByte('"')
		return
	}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)         // a string cannot fail
	b.Truncate(b.Len() - 1) // without the encoder's line break
}

// plain reports whether s stands in a JSON string as it is.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// routes returns the CC header's entries that start with "route.", without that prefix.
func routes(cc []string) []string {
	var out []string
	for _, key := range cc {
		if route, ok := strings.CutPrefix(key, "route."); ok {
			out = append(out, route)
		}
	}
	return out
}

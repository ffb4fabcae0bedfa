package tail

import (
	"bytes"
	"encoding/json"
	"io"
	"time"
)

// printer shows what is read.
type printer interface {
	message(text []byte) error // JSON: a message, or what a filter has made of one
	gap(g gap) error
}

func newPrinter(o Options) printer {
	switch {
	case o.Raw:
		return rawPrinter{o}
	case o.Columns > 0:
		return &table{out: o.Out, columns: o.Columns, paint: palette{o.Color}}
	}
	return ndjson{o.Out}
}

// gap is a time without a stream, after one that was ready.
type gap struct {
	code         string // why the stream before it ended
	since, until time.Time
}

func (g gap) length() time.Duration { return g.until.Sub(g.since) }

// ndjson writes a line of JSON for each message, and for each gap:
//
//	{"gap":{"code":"BrokerLost","since":"…","until":"…","seconds":3.217}}
type ndjson struct{ out io.Writer }

func (p ndjson) message(text []byte) error { return writeLine(p.out, text) }

func (p ndjson) gap(g gap) error {
	type times struct {
		Code    string    `json:"code"`
		Since   time.Time `json:"since"`
		Until   time.Time `json:"until"`
		Seconds float64   `json:"seconds"`
	}
	text, err := json.Marshal(map[string]times{"gap": {
		g.code, g.since.UTC().Round(time.Millisecond), g.until.UTC().Round(time.Millisecond), g.length().Round(time.Millisecond).Seconds(),
	}})
	if err != nil {
		return err
	}
	return writeLine(p.out, text)
}

// rawPrinter writes the payload, or what the filter yields; a string without
// its quotes. A gap is noted alone.
type rawPrinter struct{ options Options }

func (p rawPrinter) message(text []byte) error {
	if m, ok := parseMessage(text); ok {
		text = m.Payload
	}
	var s string
	if json.Unmarshal(text, &s) == nil {
		text = []byte(s)
	}
	if p.options.Columns > 0 {
		text = bytes.Map(visibleInLines, text)
	}
	return writeLine(p.options.Out, text)
}

func (rawPrinter) gap(gap) error { return nil }

// message is what a table shows of a message's JSON.
type message struct {
	Exchange    string
	RoutingKey  *string
	Payload     json.RawMessage
	Redelivered bool
}

// parseMessage reports whether text is a message: a filter may have made
// anything else of it.
func parseMessage(text []byte) (m message, ok bool) {
	if !bytes.HasPrefix(text, []byte("{")) || json.Unmarshal(text, &m) != nil {
		return m, false
	}
	return m, m.Exchange != "" && m.RoutingKey != nil && m.Payload != nil
}

func writeLine(w io.Writer, text []byte) error {
	line := make([]byte, 0, len(text)+1)
	_, err := w.Write(append(append(line, text...), '\n'))
	return err
}

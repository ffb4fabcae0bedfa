package tail

import (
	"fmt"
	"hash/fnv"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// table writes a line for each message, as wide as the terminal:
//
//	15:04:05  task-completed  primary.NvC3…  {"status":{"taskId":"NvC3…
//
// The exchange is its name's last part. Nothing of a message reaches the
// terminal but printable text.
type table struct {
	out     io.Writer
	columns int
	paint   palette
	width   int              // of the widest exchange so far
	now     func() time.Time // nil means time.Now
}

const (
	widestExchange = 32
	narrowest      = 40 // columns that a line has at least
	between        = "  "
)

func (t *table) message(text []byte) error {
	m, ok := parseMessage(text)
	if !ok {
		return writeLine(t.out, []byte(shortened(string(text), max(t.columns, narrowest))))
	}
	columns := max(t.columns, narrowest)
	name := shortened(m.Exchange[strings.LastIndexByte(m.Exchange, '/')+1:], min(widestExchange, columns/3))
	t.width = max(t.width, utf8.RuneCountInString(name))
	room := columns - len(time.TimeOnly) - t.width - 3*len(between)
	key := shortened(*m.RoutingKey, room*2/3)
	payload := shortened(string(m.Payload), room-utf8.RuneCountInString(key))
	return writeLine(t.out, []byte(strings.Join([]string{
		t.paint.dim(t.time()), t.paint.exchange(fmt.Sprintf("%-*s", t.width, name), m.Exchange), key, t.paint.dim(payload),
	}, between)))
}

func (*table) gap(gap) error { return nil } // it is noted, on the same terminal

func (t *table) time() string {
	if t.now != nil {
		return t.now().Format(time.TimeOnly)
	}
	return time.Now().Format(time.TimeOnly)
}

// shortened returns printable text of at most so many characters; what was cut
// off shows as an ellipsis.
func shortened(s string, most int) string {
	var b strings.Builder
	for i := 0; i < len(s) && most > 0; most-- {
		r, size := utf8.DecodeRuneInString(s[i:])
		if i += size; most == 1 && i < len(s) {
			r = '…'
		}
		b.WriteRune(visible(r))
	}
	return b.String()
}

// printable returns s without characters that a terminal would obey.
func printable(s string) string { return strings.Map(visible, s) }

func visible(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}

// visibleInLines leaves line breaks and tabs too.
func visibleInLines(r rune) rune {
	if r == '\n' || r == '\t' {
		return r
	}
	return visible(r)
}

// palette colours text with the terminal's own colours, where it may.
type palette struct{ on bool }

// By meaning where the exchange's name has one, else by name.
var (
	meanings = []struct{ ending, code string }{
		{"completed", "32"}, {"failed", "31"}, {"exception", "33"},
	}
	others = []string{"34", "35", "36", "94", "95", "96"}
)

func (p palette) exchange(text, exchange string) string {
	for _, m := range meanings {
		if strings.HasSuffix(exchange, m.ending) {
			return p.wrap(m.code, text)
		}
	}
	h := fnv.New32a()
	h.Write([]byte(exchange))
	return p.wrap(others[h.Sum32()%uint32(len(others))], text)
}

func (p palette) dim(text string) string { return p.wrap("2", text) }

func (p palette) wrap(code, text string) string {
	if !p.on {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

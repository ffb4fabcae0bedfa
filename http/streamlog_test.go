package httpapi

import (
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// logbook is a log that a test reads while it is written.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// lines returns the lines that match a pattern.
func (l *logbook) lines(pattern string) []string {
	return regexp.MustCompile("(?m)^.*"+pattern+".*$").FindAllString(l.String(), -1)
}

// startLogging starts a proxy that logs lines from a level on.
func startLogging(t *testing.T, level slog.Level, change func(*settings)) (*proxy, *logbook) {
	book := &logbook{}
	p := start(t, func(s *settings) {
		if change != nil {
			change(s)
		}
		s.Logger = slog.New(slog.NewTextHandler(book, &slog.HandlerOptions{Level: level}))
		s.actors.Logger = s.Logger
	})
	return p, book
}

// An operator sees of each stream when it came, from where and for what; how it ended, and whether
// its client knows.
func TestEachStreamsStartAndEndIsOneLine(t *testing.T) {
	t.Parallel()
	for protocol, connect := range map[string]func(p *proxy, path string) *http.Response{
		"HTTP/1": func(p *proxy, path string) *http.Response { return p.do("GET", path) },
		"HTTP/2": func(p *proxy, path string) *http.Response { return p.http2(p.t).get(path) },
	} {
		for name, c := range map[string]struct {
			end  func(p *proxy, answer *http.Response)
			want string
		}{
			"told": {func(p *proxy, _ *http.Response) { p.deleteQueue() },
				`code=QueueDeleted duration=\S+ messages=2 bytes=\d{3} told=true cause=`},
			"left": {func(_ *proxy, answer *http.Response) { answer.Body.Close() },
				`code=ClientGone duration=\S+ messages=2 bytes=\d{3} told=false$`},
		} {
			t.Run(protocol+" "+name, func(t *testing.T) {
				p, book := startLogging(t, slog.LevelInfo, nil)
				answer := connect(p, all+"&access_token=hunter2")
				r := p.read(answer.Body)
				r.want("ping")
				r.want("ready")
				p.publish("a", "1", "2")
				r.want("message")
				r.want("message")
				id := p.system.Snapshot().Streams[0].ID
				c.end(p, answer)
				await(t, "the line of the end", func() bool { return len(book.lines("stream ended")) == 1 })
				p.gone()
				opened := `level=INFO msg="stream opened" stream=` + id + ` address=127.0.0.1 protocol=` + protocol + ` bindings=1 exchanges=exchange/tc/task$`
				if len(book.lines(opened)) != 1 || len(book.lines("stream opened")) != 1 {
					t.Errorf("want one line %s\n%s", opened, book)
				}
				ended := `level=INFO msg="stream ended" stream=` + id + ` address=127.0.0.1 ` + c.want
				if len(book.lines(ended)) != 1 || len(book.lines("stream ended")) != 1 {
					t.Errorf("want one line %s\n%s", ended, book)
				}
				if strings.Contains(book.String(), "hunter2") || strings.Contains(book.String(), "bindings=%") {
					t.Errorf("the query is in the log:\n%s", book)
				}
			})
		}
	}
}

// A stuck client that was cut and told counts as told; one that could not be told does not.
func TestTheLogStatesWhetherACutClientWasTold(t *testing.T) {
	t.Parallel()
	for size, told := range map[int]bool{4 << 10: true, 8 << 20: false} {
		p, book := startLogging(t, slog.LevelInfo, func(s *settings) { s.WriteDeadline = 250 * 1e6 })
		p.stuck(all)
		p.flood(`"` + long(size) + `"`)
		p.gone()
		want := fmt.Sprintf(`"stream ended".*code=SlowConsumer.*told=%t`, told)
		if len(book.lines(want)) != 1 {
			t.Errorf("want %s\n%s", want, book)
		}
	}
}

// A request that is wrong is no stream, and no failure of an actor.
func TestAMistakeOfAClientIsNoFailureInTheLog(t *testing.T) {
	p, book := startLogging(t, slog.LevelInfo, nil)
	p.body(p.do("GET", connectPath("nonsense")))
	p.read(p.do("GET", connectPath(`{"bindings":[{"exchange":"exchange/none","routingKeyPattern":"#"}]}`)).Body).wantError(actors.BindingRefused)
	await(t, "the line of the end", func() bool { return len(book.lines("stream ended.*code=BindingRefused.*cause=.*exchange/none")) == 1 })
	if lines := book.lines("level=(WARN|ERROR)|actor failed"); len(lines) > 0 {
		t.Errorf("%s", strings.Join(lines, "\n"))
	}
}

// A request for many exchanges does not fill the log.
func TestTheLineOfAStreamNamesSomeOfManyExchanges(t *testing.T) {
	p, book := startLogging(t, slog.LevelInfo, nil)
	var list []string
	for i := range 50 {
		list = append(list, fmt.Sprintf(`{"exchange":"exchange/%d","routingKeyPattern":"#"}`, i))
	}
	p.do("GET", connectPath(`{"bindings":[`+strings.Join(list, ",")+`]}`))
	await(t, "the line", func() bool { return len(book.lines("stream opened")) == 1 })
	line := book.lines("stream opened")[0]
	if !strings.Contains(line, `bindings=50 exchanges="exchange/0 `) || strings.Contains(line, "exchange/8") || !strings.Contains(line, `…"`) {
		t.Error(line)
	}
}

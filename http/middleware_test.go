package httpapi

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// compressed is a middleware as gorilla's CompressHandler and gin's gzip are: it says what it does to
// the body before there is one, and lets the connection be taken over.
func compressed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range map[string]string{
			"Content-Encoding": "gzip", "Etag": `"x"`, "Trailer": "Digest", "Content-Length": "7", "Accept-Ranges": "bytes", "Digest": "md5=", "X-Own": "kept",
		} {
			w.Header().Set(name, value)
		}
		zip := gzip.NewWriter(w)
		defer zip.Close()
		next.ServeHTTP(&zipping{ResponseWriter: w, zip: zip}, r)
	})
}

type zipping struct {
	http.ResponseWriter
	zip *gzip.Writer
}

func (z *zipping) Write(b []byte) (int, error) { return z.zip.Write(b) }

func (z *zipping) Flush() {
	z.zip.Flush()
	z.ResponseWriter.(http.Flusher).Flush()
}

func (z *zipping) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(z.ResponseWriter).Hijack()
}

// A browser that is told of gzip and gets plain bytes shows an error, and one that is told of seven
// bytes stops after them.
func TestAMiddlewareThatSpeaksOfABodyDoesNotBreakTheStream(t *testing.T) {
	for _, inside := range []bool{false, true} {
		p := start(t, func(s *settings) { s.wrap, s.NoHijack = compressed, inside })
		answer := p.do("GET", all, "Accept-Encoding", "gzip")
		for _, name := range []string{"Etag", "Content-Length", "Accept-Ranges", "Digest"} {
			if value := answer.Header.Get(name); value != "" {
				t.Errorf("inside net/http %v: %s: %s", inside, name, value)
			}
		}
		if answer.Header.Get("X-Own") != "kept" {
			t.Error("a header of the host is lost")
		}
		body := io.Reader(answer.Body)
		if encoding := answer.Header.Get("Content-Encoding"); (encoding == "gzip") != inside {
			t.Errorf("inside net/http %v: Content-Encoding %q", inside, encoding)
		} else if inside {
			var err error
			if body, err = gzip.NewReader(answer.Body); err != nil {
				t.Fatal(err)
			}
		}
		r := p.read(io.NopCloser(body))
		r.want("ping")
		r.want("ready")
		p.publish("a", `1`)
		r.want("message")
		answer.Body.Close()
		p.gone()
	}
}

// naked hides all that the server's writer can do beyond writing.
type naked struct{ w http.ResponseWriter }

func (b naked) Header() http.Header         { return b.w.Header() }
func (b naked) Write(p []byte) (int, error) { return b.w.Write(p) }
func (b naked) WriteHeader(status int)      { b.w.WriteHeader(status) }

// flushing hides its deadlines alone.
type flushing struct{ naked }

func (f flushing) Flush() { f.w.(http.Flusher).Flush() }

// lockedLog is a log that a test reads while it is written.
type lockedLog struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lockedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// An operator who has to mend it must find the host's type in the log, not one of ours.
func TestTheLogNamesTheMiddlewareThatHidesWhatStreamsNeed(t *testing.T) {
	for name, c := range map[string]struct {
		wrap func(w http.ResponseWriter) http.ResponseWriter
		want string
	}{
		"Flush":    {func(w http.ResponseWriter) http.ResponseWriter { return naked{w} }, "httpapi.naked"},
		"deadline": {func(w http.ResponseWriter) http.ResponseWriter { return flushing{naked{w}} }, "httpapi.flushing"},
	} {
		t.Run(name, func(t *testing.T) {
			log := new(lockedLog)
			p := start(t, func(s *settings) {
				s.Logger = slog.New(slog.NewTextHandler(log, nil))
				s.wrap = func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(c.wrap(w), r) })
				}
			})
			for range 2 {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				request, err := http.NewRequestWithContext(ctx, "GET", "http://"+p.address+all, nil)
				if err != nil {
					t.Fatal(err)
				}
				answer, err := http.DefaultTransport.RoundTrip(request)
				if err != nil {
					t.Fatal(err)
				}
				io.ReadFull(answer.Body, make([]byte, 1))
				answer.Body.Close()
			}
			p.gone()
			if n := strings.Count(log.String(), c.want); n == 0 || name == "deadline" && n > 1 {
				t.Errorf("%s is named %d times in\n%s", c.want, n, log)
			}
			if strings.Contains(log.String(), "httpapi.answer") {
				t.Errorf("our own type is named in\n%s", log)
			}
		})
	}
}

// What a program sends beside the broker's messages comes as an event of its own name, in its
// place; what it filters does not come.
func TestAHostsMapAndEventsOnTheWire(t *testing.T) {
	eachProtocol(t, func(s *settings) {
		s.Admit = func(_ *http.Request, q *actors.Request) (context.Context, error) {
			q.Subject = "ada"
			q.Map = func(m *actors.Message) *actors.Message {
				if m.RoutingKey == "secret" {
					return nil
				}
				return m
			}
			return nil, nil
		}
	}, func(p *proxy, get func(string, ...string) *reader) {
		r := get(all)
		r.want("ping")
		r.want("ready")
		p.publish("secret", `1`)
		p.publish("open", `2`)
		if data := r.want("message"); !strings.HasPrefix(data, `{"payload":2,`) {
			p.t.Error(data)
		}
		if n, err := p.system.Send(actors.BySubject("ada"), actors.Custom{Name: "quota", Data: []byte("{ \"left\": 3 }")}); n != 1 || err != nil {
			p.t.Error(n, err)
		}
		if e := r.next(); e.Name != "quota" || e.Data != `{"left":3}` || e.ID != "-" {
			p.t.Errorf("received %+v", e)
		}
		p.publish("open", `3`)
		if data := r.want("message"); !strings.HasPrefix(data, `{"payload":3,`) {
			p.t.Error(data)
		}
	})
}

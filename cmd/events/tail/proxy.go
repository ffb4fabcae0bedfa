package tail

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/http/sse"
)

// ProxyOptions are the further parts of a Proxy; the zero value works.
type ProxyOptions struct {
	// Silence is how long a stream may be without a byte before it counts as
	// lost; 0 means no limit. Proxies ping every 20 s.
	Silence time.Duration

	// Token is sent as Authorization: Bearer; "" means none. TokenFile, where it
	// is not "", holds the token, and is read for each stream.
	Token, TokenFile string

	// Client sends the requests; nil means http.DefaultClient.
	Client *http.Client
}

// Proxy opens the streams of an events proxy over HTTP.
type Proxy struct {
	root, url string
	options   ProxyOptions
	trusted   bool // a request was answered
}

// NewProxy returns the Source of the proxy with this root URL, http:// or
// https://. The URL of the connect path itself is accepted too.
func NewProxy(root string, bindings []amqp.Binding, o ProxyOptions) (*Proxy, error) {
	u, err := url.Parse(root)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the proxy's URL must start with http:// or https:// and name a host")
	}
	u.RawQuery, u.Fragment = "", ""
	path := strings.TrimRight(u.Path, "/")
	if !strings.HasSuffix(path, "/v1/connect") {
		path += "/api/events/v1/connect"
	}
	u.Path = path + "/"
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	return &Proxy{root: u.Scheme + "://" + u.Host, url: u.String() + "?bindings=" + escape(canonical(bindings)), options: o}, nil
}

func (p *Proxy) String() string { return p.root }

// URL returns what each stream is asked for at: equal sets of bindings have
// equal URLs.
func (p *Proxy) URL() string { return p.url }

// Open sends no Last-Event-ID: a proxy answers that with 204, which means stop.
func (p *Proxy) Open(ctx context.Context) (Stream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &response{ctx: ctx, cancel: cancel, silence: p.options.Silence}
	s.watch = time.AfterFunc(s.limit(), func() { cancel(errSilent) })
	request, err := p.request(ctx)
	if err == nil {
		s.Response, err = p.options.Client.Do(request)
	}
	if err == nil {
		p.trusted = true
		err = p.refusal(s.Response)
	} else if wrong := cmp.Or(p.wrongScheme(err), p.wrongCertificate(err)); wrong != nil {
		err = wrong
	}
	if err != nil {
		err = s.loss(err, unreachable)
		s.Close()
		return nil, err
	}
	s.events = sse.NewDecoder(s)
	return s, nil
}

func (p *Proxy) request(ctx context.Context) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", sse.MediaType)
	request.Header.Set("Accept-Encoding", "identity") // what is compressed is held back
	request.Header.Set("Cache-Control", "no-cache")
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request, nil
}

// token returns the token to be sent now, "" for none.
func (p *Proxy) token() (string, error) {
	if p.options.TokenFile == "" {
		return p.options.Token, nil
	}
	token, err := os.ReadFile(p.options.TokenFile)
	if err != nil {
		return "", &Loss{Code: "NoToken", Reason: err.Error()}
	}
	return strings.TrimSpace(string(token)), nil
}

// refusal returns what is wrong with an answer that is not a stream.
func (p *Proxy) refusal(r *http.Response) error {
	content, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if r.StatusCode == http.StatusOK && strings.TrimSpace(content) == sse.MediaType {
		return nil
	}
	told := struct{ Code, Message string }{Code: badAnswer, Message: fmt.Sprintf("%s answered %s with %q, which is not an event stream", r.Request.URL.Host, r.Status, content)}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if wantsTLS(r, body) {
		return p.needsTLS()
	}
	_ = json.Unmarshal(body, &told) // what is not the body of a refusal leaves told as it is
	loss := &Loss{Code: told.Code, Reason: told.Message}
	switch r.StatusCode {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		loss.Retryable = true
		seconds, _ := strconv.ParseInt(r.Header.Get("Retry-After"), 10, 64)
		loss.Least = bounded(seconds, time.Second)
	}
	return loss
}

// response is the Stream of one HTTP answer.
type response struct {
	*http.Response
	ctx     context.Context
	cancel  context.CancelCauseFunc
	events  *sse.Decoder
	silence time.Duration
	watch   *time.Timer
}

var errSilent = errors.New("no byte")

func (s *response) limit() time.Duration {
	if s.silence > 0 {
		return s.silence
	}
	return 1<<63 - 1
}

// Read reads the body; each byte that comes extends the stream's time.
func (s *response) Read(p []byte) (int, error) {
	n, err := s.Body.Read(p)
	if n > 0 {
		s.watch.Reset(s.limit())
	}
	return n, err
}

// Next stops the watch while the caller is busy with the event before: its own
// slowness is not the stream's.
func (s *response) Next() (Event, error) {
	s.watch.Reset(s.limit())
	defer s.watch.Stop()
	for {
		e, err := s.events.Next()
		switch {
		case err != nil:
			return Event{}, s.loss(err, cut)
		case e.Name == "error":
			return Event{}, told([]byte(e.Data))
		case e.Name == Ping || e.Name == Ready || e.Name == Message:
			return Event{Name: e.Name, Data: []byte(e.Data)}, nil
		}
	}
}

// told returns the Loss of an error event.
func told(data []byte) error {
	var e struct {
		Code, Message string
		Retryable     bool
		RetryAfterMs  int64
	}
	if err := json.Unmarshal(data, &e); err != nil || e.Code == "" {
		return &Loss{Code: badAnswer, Reason: "the error event is not of the contract's form: " + printable(string(data))}
	}
	return &Loss{Code: e.Code, Reason: e.Message, Retryable: e.Retryable, Spread: bounded(e.RetryAfterMs, time.Millisecond)}
}

// bounded returns n units, and at most an hour: a service that asks for more is
// asked again before.
func bounded(n int64, unit time.Duration) time.Duration {
	return time.Duration(min(max(n, 0), int64(time.Hour/unit))) * unit
}

// loss returns what err means; code is for an error of the network.
func (s *response) loss(err error, code string) error {
	var known *Loss
	switch {
	case errors.As(err, &known):
		return known
	case context.Cause(s.ctx) == errSilent:
		return &Loss{Code: silent, Reason: fmt.Sprintf("no byte came for %v, not even a ping", s.silence), Retryable: true}
	case s.ctx.Err() != nil:
		return s.ctx.Err()
	case errors.Is(err, io.EOF):
		return &Loss{Code: code, Reason: "the stream ended without an error event", Retryable: true}
	}
	var failed *url.Error
	if errors.As(err, &failed) { // its text holds the whole URL
		err = failed.Err
	}
	return &Loss{Code: code, Reason: err.Error(), Retryable: true}
}

func (s *response) Close() {
	s.watch.Stop()
	s.cancel(nil)
	if s.Response != nil {
		s.Body.Close()
	}
}

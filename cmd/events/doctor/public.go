package doctor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The paths of the service that are asked.
const (
	pingPath    = "/api/events/v1/ping"
	connectPath = "/api/events/v1/connect/"
)

func (v *visit) urlName(ctx context.Context) Finding {
	if v.options.URL == "" {
		return skip("no public URL is given: events doctor URL")
	}
	u, err := url.Parse(v.options.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fail("give the root URL of the proxy, such as https://tc.example.org", "it is not a URL that starts with http:// or https://")
	}
	u.RawQuery, u.Fragment, u.Path = "", "", strings.TrimRight(u.Path, "/")
	v.url = u
	ctx, cancel := context.WithTimeout(ctx, v.options.Patience)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, u.Hostname())
	if err != nil {
		return noName(u.Hostname(), err)
	}
	return pass("%s", strings.Join(addresses, ", "))
}

// address is where the public URL leads.
func (v *visit) address() string {
	port := v.url.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[v.url.Scheme]
	}
	return net.JoinHostPort(v.url.Hostname(), port)
}

func (v *visit) urlTCP(ctx context.Context) Finding {
	ctx, cancel := context.WithTimeout(ctx, v.options.Patience)
	defer cancel()
	start := time.Now()
	socket, err := new(net.Dialer).DialContext(ctx, "tcp", v.address())
	if err != nil {
		return noTCP(v.address(), err)
	}
	socket.Close()
	return pass("connected in %v", rounded(time.Since(start)))
}

func (v *visit) urlTLS(ctx context.Context) Finding {
	v.client = v.newClient()
	if v.url.Scheme == "http" {
		return notUsed("the URL is http://")
	}
	ctx, cancel := context.WithTimeout(ctx, v.options.Patience)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: v.options.Roots, MinVersion: tls.VersionTLS12}}
	socket, err := dialer.DialContext(ctx, "tcp", v.address())
	if err != nil {
		return badTLS(v.address(), err)
	}
	defer socket.Close()
	return pass("%s", valid(socket.(*tls.Conn).ConnectionState().PeerCertificates[0], time.Now()))
}

// newClient returns a client that shows answers as they are: no redirect is followed, nothing is
// decompressed, and no forward proxy of this machine is used.
func (v *visit) newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: v.options.Roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask sends a request without a body; the answer's body is the caller's to close.
func (v *visit) ask(ctx context.Context, method, path string, header ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, v.url.String()+path, nil)
	if err != nil {
		return nil, err
	}
	if v.options.Token != "" {
		request.Header.Set("Authorization", "Bearer "+v.options.Token)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	answer, err := v.client.Do(request)
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // its text holds the whole URL
	}
	return answer, err
}

// answer asks and returns status, header and what a refusal says in its body.
func (v *visit) answer(ctx context.Context, method, path string, header ...string) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, v.options.Patience)
	defer cancel()
	r, err := v.ask(ctx, method, path, header...)
	if err != nil {
		return nil, nil, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	return r, body, err
}

func (v *visit) urlAlive(ctx context.Context) Finding {
	r, body, err := v.answer(ctx, http.MethodGet, pingPath)
	var alive struct{ Alive bool }
	switch {
	case isTimeout(err):
		return fail("is it the right port? is what listens there alive?", "%s accepts connections and does not answer HTTP", v.address())
	case err != nil:
		return fail("is it the right port, and http:// or https:// as it should be?", "%s: %s", v.address(), plain(err))
	case r.StatusCode >= 300 && r.StatusCode < 400:
		return fail("give the URL that clients are to use", "it redirects to %s", r.Header.Get("Location"))
	case r.StatusCode == http.StatusBadGateway || r.StatusCode == http.StatusServiceUnavailable || r.StatusCode == http.StatusGatewayTimeout:
		return fail("start the events proxy, or correct where the proxy in front of it leads", "%s answers %s: what is in front has no events proxy behind it", pingPath, r.Status)
	case r.StatusCode != http.StatusOK || json.Unmarshal(body, &alive) != nil || !alive.Alive:
		return fail("have the paths under /api/events/ led to the events proxy, unchanged", "%s answers %s, and not as an events proxy does", pingPath, r.Status)
	}
	return pass("%s", r.Proto)
}

// browsersEncodings is what browsers accept.
const browsersEncodings = "gzip, deflate, br, zstd"

func (v *visit) urlCompression(ctx context.Context) Finding {
	ctx, cancel := context.WithTimeout(ctx, v.options.Patience)
	defer cancel()
	const mend = "turn compression off for text/event-stream (nginx: gzip off in that location)"
	r, err := v.ask(ctx, http.MethodGet, v.connect(v.bindings()), "Accept-Encoding", browsersEncodings)
	switch {
	case isTimeout(err):
		return fail(mend, "with Accept-Encoding as browsers send it, a stream's head does not come within %v", v.options.Patience)
	case err != nil:
		return fail("see the checks above", "%s", plain(err))
	}
	defer r.Body.Close()
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return fail(mend, "a proxy on the way compresses the stream (Content-Encoding: %s): events are held back until its buffer is full", encoding)
	}
	return pass("no Content-Encoding")
}

func (v *visit) urlHTTP2(ctx context.Context) Finding {
	if v.url.Scheme == "http" {
		return skip("browsers speak HTTP/2 with TLS alone: over http:// a browser opens at most six streams of one host")
	}
	r, _, err := v.answer(ctx, http.MethodGet, pingPath)
	if err != nil {
		return fail("see the checks above", "%s", plain(err))
	}
	if r.ProtoMajor < 2 {
		return fail("turn HTTP/2 on in front (nginx: http2 on)", "%s: a browser opens at most six streams of one host, all tabs together", r.Proto)
	}
	return pass("%s", r.Proto)
}

// urlStop checks the 204 rule: an EventSource that reconnects by itself sends the last event's id,
// and stops for good at a 204.
func (v *visit) urlStop(ctx context.Context) Finding {
	path := v.connect(v.bindings())
	for _, ask := range [][]string{
		{"the header Last-Event-ID", path, "Last-Event-ID", "-"},
		{"the query parameter lastEventId", path + "&lastEventId=-"},
	} {
		name := ask[0]
		ctx, cancel := context.WithTimeout(ctx, v.options.Patience)
		r, err := v.ask(ctx, http.MethodGet, ask[1], ask[2:]...)
		if err == nil {
			r.Body.Close()
		}
		cancel()
		switch {
		case err != nil:
			return fail("let answers of status 204 pass", "a request with %s gets no answer: %s", name, plain(err))
		case r.StatusCode != http.StatusNoContent:
			return fail("let the header and the query pass unchanged", "a request with %s gets %s in place of 204: a proxy on the way takes it off, and browsers would reconnect for ever", name, r.Status)
		}
	}
	return pass("204")
}

func (v *visit) urlCORS(ctx context.Context) Finding {
	origin := v.url.Scheme + "://" + v.url.Host // the service's own is allowed, whatever the list
	const wanted = "Cache-Control"              // what EventSource polyfills send
	for _, request := range []struct{ method, path string }{{http.MethodGet, pingPath}, {http.MethodOptions, connectPath}} {
		r, _, err := v.answer(ctx, request.method, request.path, "Origin", origin,
			"Access-Control-Request-Method", http.MethodGet, "Access-Control-Request-Headers", strings.ToLower(wanted))
		if err != nil {
			return fail("let the method pass", "%s %s: %s", request.method, request.path, plain(err))
		}
		if why := corsProblem(r, origin, wanted); why != "" {
			return fail("leave the Access-Control headers and OPTIONS to the events proxy: set none in front", "%s %s: %s", request.method, request.path, why)
		}
	}
	return pass("for the origin %s", origin)
}

// corsProblem returns what a browser would not accept of an answer; "" if it accepts it.
func corsProblem(r *http.Response, origin, wanted string) string {
	const allow = "Access-Control-Allow-Origin"
	switch values := r.Header.Values(allow); {
	case r.StatusCode >= 300:
		return fmt.Sprintf("the answer is %s", r.Status)
	case len(values) == 0:
		return allow + " is missing"
	case len(values) > 1 || strings.Contains(values[0], ","):
		return fmt.Sprintf("%s is there twice (%s): browsers accept it once", allow, strings.Join(values, ", "))
	case values[0] != "*" && values[0] != origin:
		return fmt.Sprintf("%s is %s", allow, values[0])
	}
	headers := strings.FieldsFunc(strings.Join(r.Header.Values("Access-Control-Allow-Headers"), ","), func(r rune) bool { return r == ',' || r == ' ' })
	if r.Request.Method == http.MethodOptions && !slices.ContainsFunc(headers, func(h string) bool { return strings.EqualFold(h, wanted) }) {
		return wanted + " is not among Access-Control-Allow-Headers"
	}
	return ""
}

func rounded(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

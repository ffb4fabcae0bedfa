package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/clients"
)

// ConnectPath is where streams are asked for unless -path says otherwise.
const ConnectPath = "/api/events/v1/connect/"

// connect opens a stream and returns when the head of the answer is there.
//
//	connect ada exchange/tc/task 'primary.#'
//	connect ada -json '{"bindings": 7}'         the parameter's text, encoded by us
//	connect ada -raw 'bindings=%7B'             the whole query, as it is
//	connect ada -lastid - exchange/tc/task '#'    as a browser that reconnects
//	connect ada -retry exchange/tc/task '#'     again, until it is ready
//	connect crowd -count 50 exchange/tc/task '#'  crowd1 to crowd50
func connect(w *world, _ *testscript.TestScript, args []string) error {
	r, err := parseConnect(args)
	if err != nil {
		return err
	}
	proxy, err := w.running()
	if err != nil {
		return err
	}
	if err := w.open(r.names(), w.entrance(proxy)+r.target(), r); err != nil {
		return err
	}
	id, err := w.identify()
	if r.count == 0 && err == nil {
		w.streams[r.name].id = id
	}
	return err
}

// atOnce is how many streams are opened at a time.
const atOnce = 50

// open opens a stream for each name, and notes them in their order.
func (w *world) open(names []string, url string, r connectRequest) error {
	for _, name := range names {
		if w.streams[name] != nil {
			return fmt.Errorf("there is a stream called %s already", name)
		}
	}
	ctx, cancel := w.bounded()
	defer cancel()
	opened, failed := make([]*clients.Stream, len(names)), make([]error, len(names))
	places := make(chan struct{}, atOnce)
	var opening sync.WaitGroup
	for i := range names {
		places <- struct{}{}
		opening.Go(func() {
			defer func() { <-places }()
			opened[i], failed[i] = w.openOne(ctx, names[i], url, r)
		})
	}
	opening.Wait()
	for i, s := range opened {
		if s != nil {
			w.adopt(names[i], s)
		}
	}
	return errors.Join(failed...)
}

func (w *world) adopt(name string, s *clients.Stream) {
	w.streams[name] = &stream{Stream: s}
	w.names = append(w.names, name)
}

// openOne opens one stream. It may be called from any goroutine.
func (w *world) openOne(ctx context.Context, name, url string, r connectRequest) (s *clients.Stream, err error) {
	if !r.retry {
		return clients.Open(ctx, url, r.options())
	}
	err = eventually(ctx, func() error {
		s, err = w.tryReady(ctx, name, url, r)
		return err
	})
	return s, err
}

// tryReady opens the stream as an application does that wants to go on: one
// that is refused, or ends before it is ready, is forgotten.
func (w *world) tryReady(ctx context.Context, name, url string, r connectRequest) (*clients.Stream, error) {
	s, err := clients.Open(ctx, url, r.options())
	if err != nil {
		return nil, err
	}
	err = s.Wait(ctx, func(r clients.Received) error {
		if !r.Ready() {
			return fmt.Errorf("not ready, status %d:\n%s", s.Status, r)
		}
		return nil
	})
	if err != nil {
		s.Close()
		w.params.observe().Left(w.name, name, s)
		return nil, err
	}
	return s, nil
}

// connectRequest is a connect line, parsed.
type connectRequest struct {
	name, method, path, raw, json, lastID, from string
	headers                                     list
	count                                       int
	retry                                       bool
	pairs                                       []string
}

func parseConnect(args []string) (r connectRequest, err error) {
	if len(args) == 0 {
		return r, fmt.Errorf("usage: connect NAME [flags] [EXCHANGE PATTERN]…")
	}
	set := flags("connect")
	set.StringVar(&r.method, "method", http.MethodGet, "")
	set.StringVar(&r.path, "path", ConnectPath, "")
	set.StringVar(&r.raw, "raw", "", "")
	set.StringVar(&r.json, "json", "", "")
	set.StringVar(&r.lastID, "lastid", "", "")
	set.StringVar(&r.from, "from", "", "")
	set.Var(&r.headers, "header", "")
	set.IntVar(&r.count, "count", 0, "")
	set.BoolVar(&r.retry, "retry", false, "")
	if err := set.Parse(args[1:]); err != nil {
		return r, err
	}
	r.name, r.pairs = args[0], set.Args()
	for i, word := range r.pairs {
		if odd := i%2 == 1; odd && strings.HasSuffix(word, ".") || !odd && i == len(r.pairs)-1 {
			return r, fmt.Errorf("an exchange lacks its pattern, or the pattern lacks quotes, as in 'primary.#': %q", r.pairs)
		}
	}
	return r, nil
}

func (r connectRequest) names() []string {
	if r.count == 0 {
		return []string{r.name}
	}
	names := make([]string, r.count)
	for i := range names {
		names[i] = r.name + strconv.Itoa(i+1)
	}
	return names
}

func (r connectRequest) target() string {
	switch {
	case r.raw != "":
		return r.path + "?" + r.raw
	case r.json != "":
		return r.path + "?bindings=" + url.QueryEscape(r.json)
	case len(r.pairs) > 0:
		return r.path + "?" + Query(r.pairs...)
	}
	return r.path
}

func (r connectRequest) options() clients.Options {
	header := http.Header{}
	for _, line := range r.headers {
		name, value, _ := strings.Cut(line, ":")
		header.Add(name, strings.TrimSpace(value))
	}
	if r.lastID != "" {
		header.Set("Last-Event-ID", r.lastID)
	}
	return clients.Options{Method: r.method, Header: header, From: r.from}
}

// Query returns the query that asks for bindings: exchange, pattern, exchange, ….
func Query(pairs ...string) string {
	type binding struct {
		Exchange          string `json:"exchange"`
		RoutingKeyPattern string `json:"routingKeyPattern"`
	}
	var bindings struct {
		Bindings []binding `json:"bindings"`
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		bindings.Bindings = append(bindings.Bindings, binding{pairs[i], pairs[i+1]})
	}
	text, _ := json.Marshal(bindings) // strings always marshal
	return "bindings=" + url.QueryEscape(string(text))
}

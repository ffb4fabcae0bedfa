package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// Options of a Handler. Every zero value works.
type Options struct {
	// Logger receives what an operator should know. Its handler must not block: streams wait for
	// it. Default: none.
	Logger *slog.Logger

	// RootURL is where clients find the service, such as
	// https://tc.example.com or https://example.com/tc. Its path is a further
	// prefix under which every path answers; the reference names it; its
	// origin is always allowed; with ForceSSL clients are redirected to its
	// host. Default: unknown.
	RootURL string

	// RootPath is one more prefix, for a host program that mounts the handler
	// below a path without http.StripPrefix. Default: none.
	RootPath string

	// WholeHost answers /robots.txt and /__version__, too: right where nothing else is served under
	// the host's name, as by the proxy's own program. Default: they are the host program's.
	WholeHost bool

	// Version is what /__version__ answers. Default: the module's build facts.
	Version Version

	// AllowOrigins are the origins whose pages may use the service, such as
	// https://tools.example.com; "*" stands for all. Empty: all.
	AllowOrigins []string

	// TrustProxy takes the client's address from the last X-Forwarded-For and
	// its scheme from X-Forwarded-Proto. Only right where every request comes
	// through one proxy that sets them.
	TrustProxy bool

	// ForceSSL redirects clients that came over plain HTTP to https. The paths
	// of load balancers (/__heartbeat__ and the like) answer without.
	ForceSSL bool

	// HeadBytes is how long a URL, and a request's headers, may be; 1 KiB or
	// more. Default 32 KiB.
	HeadBytes int

	// WriteDeadline is how long one write to a client may take before its
	// stream is cut with SlowConsumer. Default 10 s.
	WriteDeadline time.Duration

	// VanishAfter is how long a client's machine may leave what was sent to it
	// unacknowledged before its stream is ended (TCP_USER_TIMEOUT, on Linux
	// only; PING frames of HTTP/2, by Server, everywhere). A client that vanished
	// without an end of its connection would hold its stream for a quarter of an
	// hour otherwise: pings fit the send buffer, so that no write ever blocks.
	// Default 1 min.
	VanishAfter time.Duration

	// WriteBuffer is how many bytes of a stream may wait in the kernel of
	// this machine (SO_SNDBUF, which Linux doubles). Without a bound a stuck
	// client takes megabytes before a write blocks. Default 64 KiB.
	WriteBuffer int

	// PingPeriod is the time between pings: a stream on which nothing has been
	// written for three and a half of them is ended with InternalError. Default:
	// the system's.
	PingPeriod time.Duration

	// OperatorHosts are the names under which operators reach what Operator
	// serves, beside IP addresses and localhost. A request for any other Host is
	// answered with 403.
	OperatorHosts []string

	// OperatorToken is asked of operators, as a bearer token or as the password of
	// basic authentication. Default: none is asked for.
	OperatorToken string

	// Admit decides whether a request gets its stream, for whom, and for how long. It is called once
	// for each connect request whose bindings are well formed, by the request's own goroutine, before
	// anything is asked of the actors; several requests call it concurrently.
	//
	// It may change q: its Bindings, and its Subject, which names the user in limits, logs, the live
	// tree and [actors.BySubject]. The stream lives no longer than the context that it returns, such
	// as that of the user's session, on every protocol: see [actors.System.Connect] for what the
	// client is told. A nil context stands for r.Context(). That of r ends when the stream has ended,
	// and when the client leaves while Admit runs; net/http's own would end at once where a stream of
	// HTTP/1.1 takes its connection over.
	//
	// An error refuses the request. The client is told an *actors.Error ([Unauthorized],
	// [actors.Forbidden]) as the only event of its stream. Any other error, and a panic, is logged and
	// told as InternalError without its text. Default: every request gets its stream.
	Admit func(r *http.Request, q *actors.Request) (context.Context, error)

	// Chaos lets operators make actors fail, where the system allows it too
	// (actors.Options.Chaos).
	Chaos bool

	// OperatorExtra serves operators the paths that Operator has not, such as profiles, behind the
	// same checks. Default: none.
	OperatorExtra http.Handler

	// DroppedLogLines returns how many lines a log that never blocks has dropped so far, for
	// /metrics; it may be called concurrently. Default: none are.
	DroppedLogLines func() int64

	// NoHijack keeps streams of HTTP/1.1 inside net/http, for hosts whose
	// middleware must see every byte, or ends streams by cancelling the request's
	// context (a deadline of it ends a stream either way). A stream costs five
	// times the memory then, and a stuck client cannot be told why it was cut.
	NoHijack bool
}

// What zero values of Options stand for.
const (
	DefaultHeadBytes     = 32 << 10
	DefaultWriteDeadline = 10 * time.Second
	DefaultVanishAfter   = time.Minute
	DefaultWriteBuffer   = 64 << 10
)

const leastHeadBytes = 1 << 10

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Version == (Version{}) {
		o.Version = buildFacts()
	}
	if o.DroppedLogLines == nil {
		o.DroppedLogLines = func() int64 { return 0 }
	}
	or(&o.HeadBytes, DefaultHeadBytes)
	or(&o.WriteDeadline, DefaultWriteDeadline)
	or(&o.VanishAfter, DefaultVanishAfter)
	or(&o.WriteBuffer, DefaultWriteBuffer)
	return o
}

func or[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate returns an error that names every problem of the options, nil if there
// is none.
func (o Options) Validate() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if o.RootURL != "" {
		if u, err := url.Parse(o.RootURL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			bad("RootURL: %q is no http or https URL", o.RootURL)
		} else if u.RawQuery != "" || u.Fragment != "" || u.User != nil {
			bad("RootURL: %q has more than scheme, host and path", o.RootURL)
		}
	}
	if o.RootPath != "" && (o.RootPath[0] != '/' || path.Clean(o.RootPath) != trimSlash(o.RootPath)) {
		bad("RootPath: %q is no path from the root", o.RootPath)
	}
	if root := o.rootIsStream(); root != "" {
		bad("RootURL, RootPath: %s is the path of the event stream", root)
	}
	for _, origin := range o.AllowOrigins {
		if origin != "*" && origin != "null" && originOf(origin) != strings.ToLower(origin) {
			bad("AllowOrigins: %q is no origin such as https://example.com", origin)
		}
	}
	if o.HeadBytes != 0 && o.HeadBytes < leastHeadBytes {
		bad("HeadBytes: %d is below %d", o.HeadBytes, leastHeadBytes)
	}
	if o.WriteBuffer < 0 {
		bad("WriteBuffer is negative")
	}
	if o.WriteDeadline < 0 || o.VanishAfter < 0 || o.PingPeriod < 0 {
		bad("a duration is negative")
	}
	return errors.Join(problems...)
}

// sockets returns what concerns the sockets of open responses.
func (o Options) sockets() socketOptions {
	return socketOptions{vanishAfter: o.VanishAfter, sendBuffer: o.WriteBuffer, noHijack: o.NoHijack}
}

// roots returns the prefixes under which every path answers beside the root,
// longer ones first.
func (o Options) roots() []string {
	var roots []string
	add := func(prefix string) {
		if prefix = trimSlash(prefix); prefix != "" && !slices.Contains(roots, prefix) {
			roots = append(roots, prefix)
		}
	}
	add(o.RootPath)
	if u, err := url.Parse(o.RootURL); err == nil {
		add(u.Path)
	}
	slices.SortFunc(roots, func(a, b string) int { return len(b) - len(a) })
	return roots
}

// rootIsStream returns a root whose page would be at the path of the event stream,
// "" if there is none.
func (o Options) rootIsStream() string {
	roots := o.roots()
	for _, root := range roots {
		for _, below := range append(roots, "") {
			for _, api := range apiRoots {
				if root == below+api+"/connect" {
					return root
				}
			}
		}
	}
	return ""
}

// originOf returns a URL's origin as browsers write it, "" where it has none.
func originOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme + "://" + u.Host)
}

func trimSlash(s string) string { return strings.TrimRight(s, "/") }

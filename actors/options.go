package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Options of a System. Only Dialer is required.
type Options struct {
	// Dialer reaches the broker.
	Dialer amqp.Dialer

	// Namespace is the <user> in queue/<user>/exclusive/…: under Pulse the broker's user name,
	// which may make no other queues. Default: the user name of the Dialer where it tells one (a
	// RabbitMQ's is in its URL), else "guest".
	Namespace string

	// Logger receives what an operator should know. Its handler must not block: actors wait for
	// it. By default that is discarded.
	Logger *slog.Logger

	// System is a host's actor system to live in. By default the System has one of its own, and
	// ends it on Close.
	System *actor.ActorSystem

	// Parent spawns the tree below a host's actor instead of below the root: the host passes its
	// actor.Context while it handles a message, and the actor system is that context's: System is
	// not needed.
	Parent actor.SpawnerContext

	// PingPeriod is the time between pings, spread by ± 10 %. Default 20 s.
	PingPeriod time.Duration

	// AllowExchanges are patterns ([path.Match], where * stops at a slash) of the exchanges that
	// may be asked for. Empty: all but the broker's own reports, amq.rabbitmq.*: these only where a
	// pattern starts with amq.
	AllowExchanges []string

	// ShareQueues lets streams with equal bindings share one queue, one channel and one encoding of
	// each message. Default: a queue per stream.
	ShareQueues bool

	// RoutedExchanges are patterns, as AllowExchanges, of exchanges that this process routes by
	// itself: one queue gets all their messages and serves every stream whose bindings are all on
	// such exchanges, so that the broker's cost grows with the traffic and not with the streams.
	// The list is a statement about the broker: the exchanges are topic exchanges to which no other
	// exchange is bound, and which are nobody's alternate exchange; publishers do not use the header
	// BCC. Where a message shows it to be wrong, the exchanges in use are no longer routed, and
	// their streams end. Default: none.
	RoutedExchanges []string

	// NoScouts spares the links that try what a stream asks for where no other stream is: for a
	// broker that never ends a link because of a bind or of one channel too many. RabbitMQ does.
	NoScouts bool

	// NoRebalance keeps streams at the nodes of a cluster where they are. Without it, twenty seconds
	// after a node has come or a link has gone, streams of nodes that have far more than their share
	// are ended with StreamExpired, one in a hundred each second, so that their clients come to the
	// others: by newcomers alone, a node that is back stays idle where streams live long.
	NoRebalance bool

	// IgnoreDrops loses in silence what the broker drops from a stream's queue, as a policy of the
	// broker's operator may make it do (max-length, message-ttl). By default such a stream ends with
	// MessagesDropped. That takes an exchange below exchange/<namespace>/dropped/, and a queue and a
	// channel for each link that has streams: both are given back where streams need them. A broker
	// that does not allow it, or cannot do it, is used without; the first is logged.
	IgnoreDrops bool

	// SubjectKey makes logs, the live tree and the hooks show an HMAC-SHA256 of a Request.Subject
	// under this key, 16 hexadecimal digits of it, instead of the subject. Default: the subject.
	SubjectKey string

	// OnOpen is called for each stream that was admitted, by the goroutine that has called Connect
	// and before that returns, with Connect's context. It returns the context of the stream's log
	// lines and of OnEnd, such as one with a span; nil stands for the one it was called with.
	// Connect waits for it.
	OnOpen func(ctx context.Context, s StreamState) context.Context

	// OnEnd is called once for each stream that was admitted, when it has ended, with the context of
	// OnOpen: by a goroutine of its own, so that it may block. Close waits for it, for a while.
	OnEnd func(ctx context.Context, e StreamEnd)

	Limits Limits

	// Chaos allows Crash.
	Chaos bool
}

// Limits bound what streams may take. Zero means the default.
type Limits struct {
	Streams           int           // streams in all; default: no limit
	StreamsPerAddress int           // default: no limit
	StreamsPerSubject int           // of one Request.Subject; default: no limit
	ConnectsPerSecond float64       // of one address, with a burst of one second's worth; default: no limit
	StreamAge         time.Duration // a stream ends at this age, spread by ± 10 %; default: no limit
	IPv6Prefix        int           // bits of an IPv6 address that those two count by, up to 128; default 64
	Bindings          int           // distinct bindings of a stream; default 100
	MessageBytes      int           // a larger body is announced, not delivered; default 64 MiB
	Prefetch          int           // deliveries under way to a stream, 1 to 65535; default 50
	FeedPrefetch      int           // the same to a shared queue's feed; default 500
	BacklogBytes      int           // bytes of messages held in the process for one reader, or three messages; default 1 MiB
	Linger            time.Duration // a shared queue stays so long without a stream; default 2 s
	Declares          int           // channels being opened at once, per link; default 32
	ChannelsPerLink   int           // streams that share an AMQP connection; default 500
	SlowAfter         time.Duration // a full window without one acknowledgement ends the stream; default 15 s
	Backlog           int           // messages waiting at the broker that end a stream; default 100,000
	MaxLength         int           // x-max-length of a queue, above Backlog; default 1,000,000
	RebindEvery       time.Duration // bindings are repeated so often, as far as 100 a second in all allow; default 1 min
}

// DefaultPingPeriod is the time between pings where Options.PingPeriod is zero.
const DefaultPingPeriod = 20 * time.Second

// DefaultLimits returns the limits that zero values stand for.
func DefaultLimits() Limits {
	return Limits{
		IPv6Prefix: 64, Bindings: 100, MessageBytes: 64 << 20, Prefetch: 50, FeedPrefetch: 500, Declares: 32,
		BacklogBytes: 1 << 20, Linger: 2 * time.Second,
		ChannelsPerLink: amqp.ChannelsPerLink, SlowAfter: 15 * time.Second,
		Backlog: 100_000, MaxLength: amqp.DefaultMaxLength, RebindEvery: time.Minute,
	}
}

// Validate returns an error that names every problem of the options, nil where there is none.
// [Open] fails with the same.
func (o Options) Validate() error { return o.withDefaults().validate() }

// withDefaults returns the options with their zero fields filled.
func (o Options) withDefaults() Options {
	setDefault(&o.Namespace, amqp.User(o.Dialer))
	setDefault(&o.Namespace, "guest")
	setDefault(&o.PingPeriod, DefaultPingPeriod)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	l, d := &o.Limits, DefaultLimits()
	setDefault(&l.Bindings, d.Bindings)
	setDefault(&l.MessageBytes, d.MessageBytes)
	setDefault(&l.Prefetch, d.Prefetch)
	setDefault(&l.FeedPrefetch, d.FeedPrefetch)
	setDefault(&l.BacklogBytes, d.BacklogBytes)
	setDefault(&l.Linger, d.Linger)
	setDefault(&l.Declares, d.Declares)
	setDefault(&l.IPv6Prefix, d.IPv6Prefix)
	setDefault(&l.ChannelsPerLink, d.ChannelsPerLink)
	setDefault(&l.SlowAfter, d.SlowAfter)
	setDefault(&l.Backlog, d.Backlog)
	setDefault(&l.MaxLength, d.MaxLength)
	setDefault(&l.RebindEvery, d.RebindEvery)
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate returns an error that names every problem of filled options, nil where there is none.
func (o Options) validate() error {
	var problems []error
	bad := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if o.Dialer == nil {
		bad("Dialer is missing")
	}
	if b := (amqp.Binding{Exchange: amqp.QueueName(o.Namespace)}); b.Validate() != nil {
		bad("Namespace %q makes no valid queue names", o.Namespace)
	}
	if o.PingPeriod < 0 {
		bad("PingPeriod is negative")
	}
	for name, patterns := range map[string][]string{"AllowExchanges": o.AllowExchanges, "RoutedExchanges": o.RoutedExchanges} {
		for _, pattern := range patterns {
			if _, err := path.Match(pattern, ""); err != nil {
				bad("%s: %q is no pattern", name, pattern)
			}
		}
	}
	l := o.Limits
	for _, limit := range []struct {
		name     string
		negative bool
	}{
		{"Streams", l.Streams < 0}, {"StreamsPerAddress", l.StreamsPerAddress < 0}, {"StreamsPerSubject", l.StreamsPerSubject < 0}, {"ConnectsPerSecond", l.ConnectsPerSecond < 0}, {"StreamAge", l.StreamAge < 0},
		{"IPv6Prefix", l.IPv6Prefix < 0}, {"Bindings", l.Bindings < 0}, {"MessageBytes", l.MessageBytes < 0}, {"Prefetch", l.Prefetch < 0},
		{"FeedPrefetch", l.FeedPrefetch < 0}, {"BacklogBytes", l.BacklogBytes < 0}, {"Linger", l.Linger < 0},
		{"Declares", l.Declares < 0}, {"ChannelsPerLink", l.ChannelsPerLink < 0}, {"SlowAfter", l.SlowAfter < 0},
		{"Backlog", l.Backlog < 0}, {"MaxLength", l.MaxLength < 0}, {"RebindEvery", l.RebindEvery < 0},
	} {
		if limit.negative {
			bad("Limits.%s is negative", limit.name)
		}
	}
	if l.IPv6Prefix > 128 {
		bad("Limits.IPv6Prefix is over 128, the bits of an address")
	}
	if max(l.Prefetch, l.FeedPrefetch) > 65535 {
		bad("Limits.Prefetch or FeedPrefetch is over 65535, AMQP's limit")
	}
	if l.MaxLength <= l.Backlog {
		bad("Limits.MaxLength must be above Limits.Backlog: past it the broker drops messages in silence")
	}
	return errors.Join(problems...)
}

// host returns the actor system to live in; nil means one of our own.
func (o Options) host() *actor.ActorSystem {
	if o.Parent != nil {
		return o.Parent.ActorSystem()
	}
	return o.System
}

// hasFeeds reports whether there may be queues that serve several streams.
func (o Options) hasFeeds() bool { return o.ShareQueues || len(o.RoutedExchanges) > 0 }

// allowed reports whether the operator lets streams ask for an exchange. What RabbitMQ publishes
// about itself (trace, event, log: messages, names and addresses of everybody who uses it) must be
// named.
func (o Options) allowed(exchange string) bool {
	own := strings.HasPrefix(exchange, "amq.rabbitmq.")
	for _, pattern := range o.AllowExchanges {
		if ok, _ := path.Match(pattern, exchange); ok && (!own || strings.HasPrefix(pattern, "amq.")) {
			return true
		}
	}
	return len(o.AllowExchanges) == 0 && !own
}

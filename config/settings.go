package config

import (
	"math"
	"time"

	"github.com/spf13/pflag"
)

// Setting is one line of the table of settings.
type Setting struct {
	Key      string   // in a profile of the settings file: pulse.username
	Aliases  []string // further keys that files may use
	Flag     string   // without the dashes
	Variable string
	Help     string
	Secret   bool
	Live     bool // a running proxy takes another value when it reloads its settings

	in func(*Config) pflag.Value // its place
}

// Default returns the default as text; empty: none.
func (s Setting) Default() string {
	c := Default()
	return s.in(&c).String()
}

// Kind returns the kind of value: text, number, duration, …
func (s Setting) Kind() string { return s.in(&Config{}).Type() }

// plain returns the setting's value as text, a secret in the clear.
func (s Setting) plain(c *Config) string {
	value := s.in(c)
	if f, ok := value.(field[Secret]); ok {
		return f.place.Reveal()
	}
	return value.String()
}

// at makes a setting's place from a pointer into a Config and a kind.
func at[T any](k kind[T], place func(*Config) *T) func(*Config) pflag.Value {
	return func(c *Config) pflag.Value { return field[T]{place(c), k} }
}

// Settings is the table, in the order of help and documentation.
var Settings = []Setting{
	{Key: "pulse.url", Flag: "pulse-url", Variable: "PULSE_URL", Secret: true,
		Help: "the broker as one AMQP URL, amqps://user:password@host/vhost; the host may be a list, a:5671,b:5671; wins over the next four",
		in:   at(broker, func(c *Config) *Secret { return &c.Pulse.URL })},
	{Key: "pulse.username", Flag: "pulse-username", Variable: "PULSE_USERNAME",
		Help: "user name at the broker",
		in:   at(text, func(c *Config) *string { return &c.Pulse.Username })},
	{Key: "pulse.password", Flag: "pulse-password", Variable: "PULSE_PASSWORD", Secret: true,
		Help: "password at the broker; the variable is better, as flags are seen by every user of the machine",
		in:   at(secret, func(c *Config) *Secret { return &c.Pulse.Password })},
	{Key: "pulse.hostname", Flag: "pulse-hostname", Variable: "PULSE_HOSTNAME",
		Help: "host of the broker, reached by TLS; port 5671 unless it names one",
		in:   at(brokerHosts, func(c *Config) *string { return &c.Pulse.Hostname })},
	{Key: "pulse.vhost", Flag: "pulse-vhost", Variable: "PULSE_VHOST",
		Help: "virtual host at the broker",
		in:   at(text, func(c *Config) *string { return &c.Pulse.VHost })},
	{Key: "pulse.namespace", Flag: "pulse-namespace", Variable: "PULSE_NAMESPACE",
		Help: "the <user> in queue/<user>/exclusive/...; the user name, if not set",
		in:   at(text, func(c *Config) *string { return &c.Pulse.Namespace })},

	{Key: "server.port", Flag: "port", Variable: "PORT",
		Help: "port to listen on; 0 takes a free one and prints it",
		in:   at(whole(0, 65535), func(c *Config) *int { return &c.Server.Port })},
	{Key: "server.host", Flag: "host", Variable: "EVENTS_HOST",
		Help: "address to listen on; all, if not set",
		in:   at(listenHost, func(c *Config) *string { return &c.Server.Host })},
	{Key: "server.rootUrl", Aliases: []string{"server.publicUrl", "taskcluster.rootUrl"}, Flag: "root-url", Variable: "TASKCLUSTER_ROOT_URL",
		Help: "root URL as clients see it, for the reference and the page; http(s)://localhost:PORT, if not set",
		in:   at(webURL, func(c *Config) *string { return &c.Server.RootURL })},
	{Key: "server.forceSSL", Flag: "force-ssl", Variable: "FORCE_SSL",
		Help: "redirect to https what came by http according to X-Forwarded-Proto",
		in:   at(truth, func(c *Config) *bool { return &c.Server.ForceSSL })},
	{Key: "server.trustProxy", Flag: "trust-proxy", Variable: "TRUST_PROXY",
		Help: "take client addresses from X-Forwarded-For: only behind a proxy that sets it",
		in:   at(truth, func(c *Config) *bool { return &c.Server.TrustProxy })},
	{Key: "server.tlsCertificate", Flag: "tls-certificate", Variable: "EVENTS_TLS_CERTIFICATE", Live: true,
		Help: "PEM file with the certificate chain: the proxy itself speaks https and HTTP/2, without one in front",
		in:   at(file, func(c *Config) *string { return &c.Server.TLSCertificate })},
	{Key: "server.tlsKey", Flag: "tls-key", Variable: "EVENTS_TLS_KEY", Live: true,
		Help: "PEM file with the certificate's key",
		in:   at(file, func(c *Config) *string { return &c.Server.TLSKey })},
	{Key: "server.operator", Flag: "operator", Variable: "EVENTS_OPERATOR",
		Help: "address of a second listener, for operators alone, such as 127.0.0.1:12346; off, if not set",
		in:   at(address, func(c *Config) *string { return &c.Server.Operator })},
	{Key: "server.operatorHosts", Flag: "operator-hosts", Variable: "EVENTS_OPERATOR_HOSTS", Live: true,
		Help: "names under which operators reach the second listener, beside IP addresses and localhost; any other Host gets 403",
		in:   at(list, func(c *Config) *[]string { return &c.Server.OperatorHosts })},
	{Key: "server.operatorToken", Flag: "operator-token", Variable: "EVENTS_OPERATOR_TOKEN", Live: true, Secret: true,
		Help: "what the second listener asks operators for, as a bearer token or as the password of basic authentication; nothing, if not set",
		in:   at(secret, func(c *Config) *Secret { return &c.Server.OperatorToken })},
	{Key: "server.subjectKey", Flag: "subject-key", Variable: "EVENTS_SUBJECT_KEY", Secret: true,
		Help: "log and operators' page show a hash of each subject under this key instead of the subject; the subject, if not set",
		in:   at(secret, func(c *Config) *Secret { return &c.Server.SubjectKey })},
	{Key: "server.origins", Flag: "origins", Variable: "EVENTS_ORIGINS", Live: true,
		Help: "web origins whose pages may connect; all, if not set",
		in:   at(origins, func(c *Config) *[]string { return &c.Server.Origins })},
	{Key: "server.exchanges", Flag: "exchanges", Variable: "EVENTS_EXCHANGES", Live: true,
		Help: "exchanges that may be bound, as patterns: * stands for anything but a slash; all but amq.rabbitmq.*, if not set",
		in:   at(patterns, func(c *Config) *[]string { return &c.Server.Exchanges })},
	{Key: "server.shareQueues", Flag: "share-queues", Variable: "EVENTS_SHARE_QUEUES",
		Help: "streams with equal bindings share one queue at the broker: for many clients that want the same",
		in:   at(truth, func(c *Config) *bool { return &c.Server.ShareQueues })},
	{Key: "server.routedExchanges", Flag: "routed-exchanges", Variable: "EVENTS_ROUTED_EXCHANGES",
		Help: "topic exchanges that the proxy routes by itself, as patterns: one queue takes all their messages and serves every stream that asks for nothing else; the README says when that would be wrong",
		in:   at(patterns, func(c *Config) *[]string { return &c.Server.Routed })},
	{Key: "server.rebalance", Flag: "rebalance", Variable: "EVENTS_REBALANCE",
		Help: "after connections to nodes of the broker have come or gone, end a few streams a second, with StreamExpired, of nodes that have far more than their share: their clients come to the others",
		in:   at(truth, func(c *Config) *bool { return &c.Server.Rebalance })},
	{Key: "server.noticeDrops", Flag: "notice-drops", Variable: "EVENTS_NOTICE_DROPS",
		Help: "end a stream with MessagesDropped when a policy of the broker drops messages of its queue; takes a queue and a channel for each connection to the broker, as far as streams leave some",
		in:   at(truth, func(c *Config) *bool { return &c.Server.NoticeDrops })},
	{Key: "server.chaos", Flag: "chaos", Variable: "EVENTS_CHAOS",
		Help: "operators may make actors fail, to see the tree heal: for tests of resilience",
		in:   at(truth, func(c *Config) *bool { return &c.Server.Chaos })},
	{Key: "server.pprof", Flag: "pprof", Variable: "EVENTS_PPROF",
		Help: "operators may take profiles of the process, under /debug/pprof/ on their listener; each takes processor time",
		in:   at(truth, func(c *Config) *bool { return &c.Server.Pprof })},
	{Key: "server.pingPeriod", Flag: "ping-period", Variable: "EVENTS_PING_PERIOD",
		Help: "time between pings on a stream",
		in:   at(span(time.Millisecond), func(c *Config) *time.Duration { return &c.Server.PingPeriod })},
	{Key: "server.debug", Flag: "debug", Variable: "DEBUG", Live: true,
		Help: "events:* turns debug logs on, as logLevel debug does",
		in:   at(text, func(c *Config) *string { return &c.Server.Debug })},
	{Key: "server.logLevel", Flag: "log-level", Variable: "EVENTS_LOG_LEVEL", Live: true,
		Help: "least level of the lines in the log: debug, info, warn, error",
		in:   at(oneOf("debug", "info", "warn", "error"), func(c *Config) *string { return &c.Server.LogLevel })},
	{Key: "server.logFormat", Flag: "log-format", Variable: "EVENTS_LOG_FORMAT",
		Help: "text or json, on standard error",
		in:   at(oneOf("text", "json"), func(c *Config) *string { return &c.Server.LogFormat })},

	{Key: "auth.keysFile", Flag: "auth-keys-file", Variable: "EVENTS_AUTH_KEYS_FILE", Live: true,
		Help: "file with the public keys of the tokens (JWT) that clients must have: PEM or a JWK set; with this and the next not set, all who reach the listener are served",
		in:   at(file, func(c *Config) *string { return &c.Auth.KeysFile })},
	{Key: "auth.secretFile", Flag: "auth-secret-file", Variable: "EVENTS_AUTH_SECRET_FILE", Live: true,
		Help: "file with the secrets of such tokens, one a line, 32 bytes or more each",
		in:   at(file, func(c *Config) *string { return &c.Auth.SecretFile })},
	{Key: "auth.issuer", Flag: "auth-issuer", Variable: "EVENTS_AUTH_ISSUER", Live: true,
		Help: "issuer (iss) that tokens must be of; any, if not set",
		in:   at(text, func(c *Config) *string { return &c.Auth.Issuer })},
	{Key: "auth.audience", Flag: "auth-audience", Variable: "EVENTS_AUTH_AUDIENCE", Live: true,
		Help: "audience (aud) that tokens must be for; any, if not set",
		in:   at(text, func(c *Config) *string { return &c.Auth.Audience })},
	{Key: "auth.cookie", Flag: "auth-cookie", Variable: "EVENTS_AUTH_COOKIE", Live: true,
		Help: "name of a cookie that may hold the token; needs a list of origins; none, if not set",
		in:   at(cookie, func(c *Config) *string { return &c.Auth.Cookie })},
	{Key: "auth.queryLife", Flag: "auth-query-life", Variable: "EVENTS_AUTH_QUERY_LIFE", Live: true,
		Help: "time that a token may still live which comes as the query parameter token, since URLs are logged on the way; 0: none may",
		in:   at(span(0), func(c *Config) *time.Duration { return &c.Auth.QueryLife })},
	{Key: "auth.spread", Flag: "auth-spread", Variable: "EVENTS_AUTH_SPREAD", Live: true,
		Help: "streams end at random in this time before their tokens do, and in the last tenth of the tokens' time at most, so that not all come back at once",
		in:   at(span(0), func(c *Config) *time.Duration { return &c.Auth.Spread })},

	{Key: "limits.streams", Flag: "streams", Variable: "EVENTS_STREAMS", Live: true,
		Help: "streams in all, further ones get 503; 0: no limit",
		in:   at(whole(0, math.MaxInt32), func(c *Config) *int { return &c.Limits.Streams })},
	{Key: "limits.streamsPerAddress", Flag: "streams-per-address", Variable: "EVENTS_STREAMS_PER_ADDRESS", Live: true,
		Help: "streams of one client address, further ones get 429; 0: no limit",
		in:   at(whole(0, math.MaxInt32), func(c *Config) *int { return &c.Limits.StreamsPerAddress })},
	{Key: "limits.streamsPerSubject", Flag: "streams-per-subject", Variable: "EVENTS_STREAMS_PER_SUBJECT", Live: true,
		Help: "streams of one subject, where clients have to say who they are; further ones get 429; 0: no limit",
		in:   at(whole(0, math.MaxInt32), func(c *Config) *int { return &c.Limits.StreamsPerSubject })},
	{Key: "limits.connectsPerSecond", Flag: "connects-per-second", Variable: "EVENTS_CONNECTS_PER_SECOND", Live: true,
		Help: "connects per second of one client address, further ones get 429; 0: no limit",
		in:   at(rate, func(c *Config) *float64 { return &c.Limits.ConnectsPerSecond })},
	{Key: "limits.streamAge", Flag: "stream-age", Variable: "EVENTS_STREAM_AGE", Live: true,
		Help: "age at which a stream is ended, to be opened anew, spread by 10 %: a balancer may keep streams open after their clients have disconnected; 0: no limit",
		in:   at(span(0), func(c *Config) *time.Duration { return &c.Limits.StreamAge })},
	{Key: "limits.ipv6Prefix", Flag: "ipv6-prefix", Variable: "EVENTS_IPV6_PREFIX",
		Help: "bits of an IPv6 address that the limits per address count by: a client has a whole network of addresses",
		in:   at(whole(1, 128), func(c *Config) *int { return &c.Limits.IPv6Prefix })},
	{Key: "limits.bindings", Flag: "bindings", Variable: "EVENTS_BINDINGS", Live: true,
		Help: "distinct bindings of a stream",
		in:   at(whole(1, math.MaxInt32), func(c *Config) *int { return &c.Limits.Bindings })},
	{Key: "limits.headBytes", Flag: "head-bytes", Variable: "EVENTS_HEAD_BYTES",
		Help: "size of a request's head, bindings included; larger ones get 431 or 414",
		in:   at(size(1<<10), func(c *Config) *int { return &c.Limits.HeadBytes })},
	{Key: "limits.messageBytes", Flag: "message-bytes", Variable: "EVENTS_MESSAGE_BYTES", Live: true,
		Help: "size of a message's body; a larger one is announced, not delivered",
		in:   at(size(1), func(c *Config) *int { return &c.Limits.MessageBytes })},
	{Key: "limits.writeDeadline", Flag: "write-deadline", Variable: "EVENTS_WRITE_DEADLINE", Live: true,
		Help: "a client that takes no byte for so long is cut",
		in:   at(span(time.Millisecond), func(c *Config) *time.Duration { return &c.Limits.WriteDeadline })},
	{Key: "limits.vanishAfter", Flag: "vanish-after", Variable: "EVENTS_VANISH_AFTER",
		Help: "a client whose machine acknowledges nothing for so long is given up (Linux)",
		in:   at(span(time.Millisecond), func(c *Config) *time.Duration { return &c.Limits.VanishAfter })},
	{Key: "limits.slowAfter", Flag: "slow-after", Variable: "EVENTS_SLOW_AFTER", Live: true,
		Help: "a stream whose prefetch is used up without one acknowledgement for so long is cut",
		in:   at(span(time.Millisecond), func(c *Config) *time.Duration { return &c.Limits.SlowAfter })},
	{Key: "limits.rebindEvery", Flag: "rebind-every", Variable: "EVENTS_REBIND_EVERY", Live: true,
		Help: "a stream's bindings are repeated so often, for exchanges that are deleted and made again",
		in:   at(span(time.Second), func(c *Config) *time.Duration { return &c.Limits.RebindEvery })},
	{Key: "limits.backlog", Flag: "backlog", Variable: "EVENTS_BACKLOG", Live: true,
		Help: "messages that wait at the broker for one stream before it is cut",
		in:   at(whole(1, math.MaxInt32), func(c *Config) *int { return &c.Limits.Backlog })},
	{Key: "limits.backlogBytes", Flag: "backlog-bytes", Variable: "EVENTS_BACKLOG_BYTES", Live: true,
		Help: "bytes of messages held in the process for one stream, or three messages where those are larger",
		in:   at(size(1), func(c *Config) *int { return &c.Limits.BacklogBytes })},
	{Key: "limits.prefetch", Flag: "prefetch", Variable: "EVENTS_PREFETCH", Live: true,
		Help: "deliveries under way to a stream",
		in:   at(whole(1, 65535), func(c *Config) *int { return &c.Limits.Prefetch })},
	{Key: "limits.feedPrefetch", Flag: "feed-prefetch", Variable: "EVENTS_FEED_PREFETCH", Live: true,
		Help: "deliveries under way from a shared queue",
		in:   at(whole(1, 65535), func(c *Config) *int { return &c.Limits.FeedPrefetch })},
	{Key: "limits.linger", Flag: "linger", Variable: "EVENTS_LINGER", Live: true,
		Help: "time that a shared queue stays after its last stream has left",
		in:   at(span(time.Millisecond), func(c *Config) *time.Duration { return &c.Limits.Linger })},
	{Key: "limits.declares", Flag: "declares", Variable: "EVENTS_DECLARES",
		Help: "queues declared at once over one AMQP connection",
		in:   at(whole(1, 2047), func(c *Config) *int { return &c.Limits.Declares })},
	{Key: "limits.channelsPerLink", Flag: "channels-per-link", Variable: "EVENTS_CHANNELS_PER_LINK",
		Help: "streams that share one connection to the broker, and end with it; never more than the broker allows",
		in:   at(whole(1, 65535), func(c *Config) *int { return &c.Limits.ChannelsPerLink })},

	{Key: "drain.delay", Flag: "drain-delay", Variable: "EVENTS_DRAIN_DELAY",
		Help: "on SIGTERM and SIGINT, /__ready__ and /__heartbeat__ are 503 for so long while all is served as before; then the drain begins",
		in:   at(span(0), func(c *Config) *time.Duration { return &c.Drain.Delay })},
	{Key: "drain.spread", Flag: "drain-spread", Variable: "EVENTS_DRAIN_SPREAD",
		Help: "on SIGTERM and SIGINT streams are ended one after the other over this time",
		in:   at(span(0), func(c *Config) *time.Duration { return &c.Drain.Spread })},
	{Key: "drain.time", Flag: "drain-time", Variable: "EVENTS_DRAIN_TIME",
		Help: "time from the end of the delay within which every stream is ended",
		in:   at(span(0), func(c *Config) *time.Duration { return &c.Drain.Time })},
	{Key: "drain.hardEnd", Flag: "drain-hard-end", Variable: "EVENTS_DRAIN_HARD_END",
		Help: "time from the end of the delay after which the process ends with status 1, whatever is left",
		in:   at(span(0), func(c *Config) *time.Duration { return &c.Drain.HardEnd })},
}

// settingOf returns the setting of a file's key, which may be an alias.
func settingOf(key string) (Setting, bool) {
	for _, s := range Settings {
		if s.Key == key {
			return s, true
		}
		for _, alias := range s.Aliases {
			if alias == key {
				return s, true
			}
		}
	}
	return Setting{}, false
}

// Package config loads the proxy's settings: from flags, the environment, a settings file and
// defaults, in this order of precedence.
//
// One table (settings.go) lists them: flag, variable, file key, default and help. All else is made
// from it: parsing, the file's unknown keys, `events config`, the documentation. To add a setting,
// add a field here and a line there.
//
//	defaults ◀── file: defaults ◀── file: profile ◀── environment ◀── flags
//
// Every value is text until the table parses it, wherever it comes from: a password that looks like
// a number stays what was written. Nothing in this package reads a global: arguments, environment
// and files are Load's arguments.
package config

import (
	"maps"
	"time"
)

// Config is the effective settings.
type Config struct {
	// Profile is the section of the settings file that was used.
	Profile string

	// File is the settings file that was read; empty without one.
	File string

	Pulse  Pulse
	Server Server
	Auth   Auth
	Limits Limits
	Drain  Drain

	sources map[string]string // where a key's value came from; none: default
}

// Pulse locates the broker. URL overrides all other fields except Namespace.
type Pulse struct {
	URL       Secret // amqp[s]://user:password@host[:port]/vhost; the host may be a list
	Username  string
	Password  Secret
	Hostname  string // one or a list, each may have a port; default 5671, always TLS
	VHost     string
	Namespace string // the <user> in queue names; default: the user name
}

// Server configures the HTTP side and the log.
type Server struct {
	Host           string // address to listen on; empty: all
	Port           int    // 0: any free one
	RootURL        string // without a slash at the end; empty with port 0 and with ForceSSL: not known
	ForceSSL       bool   // redirect http to https, by X-Forwarded-Proto
	TrustProxy     bool   // take the client's address from X-Forwarded-For
	TLSCertificate string // PEM files; both or none
	TLSKey         string
	Operator       string        // address of the operator's listener; empty: none
	Origins        []string      // web origins that may connect; empty: all
	Exchanges      []string      // patterns of exchanges that may be bound; empty: all
	OperatorHosts  []string      // names of the operator's listener, beside IP addresses and localhost
	OperatorToken  Secret        // what it asks for; empty: nothing
	SubjectKey     Secret        // subjects are shown as hashes under it; empty: as they are
	Chaos          bool          // operators may make actors fail
	Pprof          bool          // operators may take profiles of the process
	ShareQueues    bool          // streams with equal bindings share one queue; default: a queue each
	Routed         []string      // patterns of exchanges that the process routes by itself; empty: none
	Rebalance      bool          // streams are moved to nodes of the broker that have few of them
	NoticeDrops    bool          // streams whose queue loses messages to a policy of the broker end
	PingPeriod     time.Duration // time between pings
	Debug          string        // as DEBUG of Node's debug: patterns, events:* for ours
	LogLevel       string        // debug, info, warn or error
	LogFormat      string        // text or json
}

// Auth asks clients for signed tokens, where one of the two files is named.
type Auth struct {
	KeysFile   string        // public keys, PEM or a JWK set
	SecretFile string        // shared secrets, one a line
	Issuer     string        // that tokens must be of; empty: any
	Audience   string        // that tokens must be for; empty: any
	Cookie     string        // that may hold a token; empty: none
	QueryLife  time.Duration // of a token in a URL; 0: none is taken there
	Spread     time.Duration // streams end over this time before their tokens do
}

// On reports whether clients are asked for tokens.
func (a Auth) On() bool { return a.KeysFile != "" || a.SecretFile != "" }

// Limits bound what clients may take. Zero means no limit for the first five; the others are at
// least 1.
type Limits struct {
	Streams           int           // in all
	StreamsPerAddress int           // of one client address
	StreamsPerSubject int           // of one subject, where clients have to say who they are
	ConnectsPerSecond float64       // of one client address
	StreamAge         time.Duration // ends a stream, to be opened anew
	IPv6Prefix        int           // bits of an IPv6 address that make one client
	Bindings          int           // distinct bindings of a stream
	HeadBytes         int           // of a request's head
	MessageBytes      int           // of a message's body
	WriteDeadline     time.Duration
	VanishAfter       time.Duration // of a client whose machine is silent
	SlowAfter         time.Duration
	RebindEvery       time.Duration
	Backlog           int           // messages at the broker for one stream
	BacklogBytes      int           // bytes in the proxy for one stream
	Prefetch          int           // deliveries under way to a stream
	FeedPrefetch      int           // the same to a shared queue's feed
	Linger            time.Duration // a shared queue stays so long without a stream
	Declares          int           // concurrent declares of an AMQP connection
	ChannelsPerLink   int           // streams that share an AMQP connection
}

// Drain is the end of the process: Spread ≤ Time ≤ HardEnd, all counted from the end of the Delay,
// which starts with the signal.
type Drain struct {
	Delay   time.Duration // load balancers see that the process is going; all is served as before
	Spread  time.Duration // streams are ended one after the other over this time
	Time    time.Duration // by then every stream has ended
	HardEnd time.Duration // the process ends, whatever is left
}

// Default returns the settings of a process for which nothing is set.
func Default() Config {
	return Config{
		Profile: "production",
		Pulse:   Pulse{VHost: "/"},
		Server:  Server{Port: 12345, Rebalance: true, NoticeDrops: true, PingPeriod: 20 * time.Second, LogLevel: "info", LogFormat: "text"},
		Auth:    Auth{QueryLife: 5 * time.Minute, Spread: 30 * time.Second},
		Limits: Limits{
			IPv6Prefix: 64, Bindings: 100, HeadBytes: 32 << 10, MessageBytes: 64 << 20,
			WriteDeadline: 10 * time.Second, VanishAfter: time.Minute, SlowAfter: 15 * time.Second, RebindEvery: time.Minute,
			Backlog: 100_000, BacklogBytes: 1 << 20,
			Prefetch: 50, FeedPrefetch: 500, Linger: 2 * time.Second, Declares: 32, ChannelsPerLink: 500,
		},
		Drain: Drain{Spread: 2 * time.Second, Time: 10 * time.Second, HardEnd: 15 * time.Second},
	}
}

// Source returns where a setting's value came from: a flag ("--port"), a variable ("PORT"), a file
// with its section ("user-config.yml: production"), or "default".
func (c Config) Source(key string) string {
	if source, ok := c.sources[key]; ok {
		return source
	}
	return "default"
}

// Changed returns the settings whose values differ from those of another Config.
func (c Config) Changed(other Config) []Setting {
	var changed []Setting
	for _, s := range Settings {
		if s.plain(&c) != s.plain(&other) {
			changed = append(changed, s)
		}
	}
	return changed
}

// With returns c with the values that some settings have in another Config.
func (c Config) With(other Config, settings []Setting) Config {
	c.sources = maps.Clone(c.sources)
	for _, s := range settings {
		if s.in(&c).Set(s.plain(&other)) == nil { // as it was read before
			c.sources[s.Key] = other.Source(s.Key)
		}
	}
	return c
}

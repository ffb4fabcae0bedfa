// Package options turns settings into what the packages of the proxy take, as the binary does: a Go
// program that wants the binary's settings loads them with [config.Load], and passes them on with
// [Broker], [System], [Handler] and [Auth].
//
// It stands between packages that must not know each other. config knows no other package of ours,
// so that a setting is text with a meaning for people; actors and http know no config, so that an
// embedder chooses every option in Go and needs none of the settings' libraries.
package options

import (
	"log/slog"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/config"
	httpapi "github.com/taskcluster/events-proxy/http"
)

// Broker returns the broker of the settings, not dialed yet. The error is [config.ErrNoBroker], or
// what is wrong with its URL; it holds no credentials.
func Broker(c config.Config) (*amqp.RabbitMQ, error) {
	url, err := c.Pulse.BrokerURL()
	if err != nil {
		return nil, err
	}
	return amqp.NewRabbitMQ(url.Reveal(), amqp.RabbitMQOptions{Name: "events-proxy " + c.Pulse.Namespace})
}

// System returns the options of the actor system. A limit of zero means "none" on both sides where
// the settings allow it.
func System(c config.Config, dialer amqp.Dialer, log *slog.Logger) actors.Options {
	policy := SystemPolicy(c)
	return actors.Options{
		Dialer:          dialer,
		Namespace:       c.Pulse.Namespace,
		Logger:          log,
		PingPeriod:      c.Server.PingPeriod,
		AllowExchanges:  policy.AllowExchanges,
		ShareQueues:     c.Server.ShareQueues,
		RoutedExchanges: c.Server.Routed,
		NoRebalance:     !c.Server.Rebalance,
		IgnoreDrops:     !c.Server.NoticeDrops,
		Chaos:           c.Server.Chaos,
		SubjectKey:      c.Server.SubjectKey.Reveal(),
		Limits:          policy.Limits,
	}
}

// SystemPolicy returns the part of the options that a running actor system may take anew.
func SystemPolicy(c config.Config) actors.Policy {
	return actors.Policy{
		AllowExchanges: c.Server.Exchanges,
		Limits: actors.Limits{
			Streams:           c.Limits.Streams,
			StreamsPerAddress: c.Limits.StreamsPerAddress,
			StreamsPerSubject: c.Limits.StreamsPerSubject,
			ConnectsPerSecond: c.Limits.ConnectsPerSecond,
			StreamAge:         c.Limits.StreamAge,
			IPv6Prefix:        c.Limits.IPv6Prefix,
			Bindings:          c.Limits.Bindings,
			MessageBytes:      c.Limits.MessageBytes,
			Prefetch:          c.Limits.Prefetch,
			FeedPrefetch:      c.Limits.FeedPrefetch,
			Linger:            c.Limits.Linger,
			BacklogBytes:      c.Limits.BacklogBytes,
			Declares:          c.Limits.Declares,
			ChannelsPerLink:   c.Limits.ChannelsPerLink,
			SlowAfter:         c.Limits.SlowAfter,
			RebindEvery:       c.Limits.RebindEvery,
			Backlog:           c.Limits.Backlog,
			MaxLength:         maxLength(c.Limits.Backlog),
		},
	}
}

// maxLength keeps the broker's own limit, past which it drops in silence, well above the backlog at
// which a stream is cut and told.
func maxLength(backlog int) int { return max(amqp.DefaultMaxLength, 10*backlog) }

// Handler returns the options of the HTTP face, which listens at url. Where c.Auth.On, their Admit
// refuses every request, until the caller sets it to that of a guard: access.New(Auth(c, log)).
func Handler(c config.Config, url string, log *slog.Logger) httpapi.Options {
	policy := HandlerPolicy(c)
	return httpapi.Options{
		Admit:         admission(c),
		Logger:        log,
		RootURL:       rootURL(c, url),
		WholeHost:     true,
		AllowOrigins:  policy.AllowOrigins,
		TrustProxy:    c.Server.TrustProxy,
		ForceSSL:      c.Server.ForceSSL,
		HeadBytes:     c.Limits.HeadBytes,
		WriteDeadline: policy.WriteDeadline,
		VanishAfter:   c.Limits.VanishAfter,
		OperatorHosts: policy.OperatorHosts,
		OperatorToken: policy.OperatorToken,
		Chaos:         c.Server.Chaos,
	}
}

// HandlerPolicy returns the part of the options that a running HTTP face may take anew.
func HandlerPolicy(c config.Config) httpapi.Policy {
	return httpapi.Policy{
		AllowOrigins:  c.Server.Origins,
		WriteDeadline: c.Limits.WriteDeadline,
		OperatorHosts: c.Server.OperatorHosts,
		OperatorToken: c.Server.OperatorToken.Reveal(),
	}
}

// rootURL returns the root URL of the settings; where none is set, the address that was in fact
// taken. With ForceSSL that would send clients to https at a port that speaks http: their own Host
// is better then.
func rootURL(c config.Config, url string) string {
	if c.Source("server.rootUrl") == "default" && !c.Server.ForceSSL {
		return url
	}
	return c.Server.RootURL
}

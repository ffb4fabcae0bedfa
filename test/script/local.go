package script

import (
	"context"

	"github.com/taskcluster/events-proxy/actors"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/proxytest"
)

// Local starts a proxy in this process, on a socket of 127.0.0.1.
func Local(b Broker, s Settings) (Proxy, error) {
	running, err := proxytest.Start(proxytest.Options{
		Actors: actors.Options{
			Dialer: b.Dialer(), Namespace: b.Namespace(), PingPeriod: s.Ping,
			AllowExchanges: s.AllowExchanges, Limits: s.limits(), ShareQueues: s.ShareQueues, RoutedExchanges: s.Routed, Chaos: true,
		},
		HTTP: httpapi.Options{
			WriteDeadline: s.WriteTimeout, VanishAfter: s.VanishAfter, AllowOrigins: s.AllowOrigins, PingPeriod: s.Ping,
			RootURL: s.RootURL, TrustProxy: s.TrustProxy, ForceSSL: s.ForceSSL,
		},
	})
	if err != nil {
		return nil, err
	}
	return local{running}, nil
}

func (s Settings) limits() actors.Limits {
	return actors.Limits{
		Streams: s.Streams, StreamsPerAddress: s.StreamsPerAddress, ConnectsPerSecond: s.ConnectsPerSecond,
		StreamAge: s.StreamAge, Bindings: s.Bindings, MessageBytes: s.MessageBytes, Prefetch: s.Prefetch,
		SlowAfter: s.SlowAfter, Backlog: s.Backlog,
	}
}

type local struct{ *proxytest.Proxy }

func (l local) URL() string { return l.Proxy.URL }

func (l local) Snapshot(context.Context) (actors.Snapshot, error) { return l.System.Snapshot(), nil }

func (l local) Ends(_ context.Context, after int64) ([]actors.StreamEnd, error) {
	return l.System.Ends(after), nil
}

func (l local) Unclosed(context.Context) (int64, error) {
	closed := l.Ledger.Closed.Load() // first: what is opened meanwhile is still open
	return l.Ledger.Opened.Load() - closed, nil
}

func (l local) Crash(_ context.Context, role actors.Role, stream string) error {
	return l.System.Crash(role, stream)
}

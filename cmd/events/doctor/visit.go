package doctor

import (
	"cmp"
	"crypto/x509"
	"net/http"
	"net/url"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/config"
)

// Options say what is examined.
type Options struct {
	// Config are the settings; Problem is what is wrong with them, and nothing else of them is used
	// then.
	Config  config.Config
	Problem error

	// Broker is that of the settings; nil where they name none.
	Broker *amqp.RabbitMQ

	// Bindings are what clients ask for: that the broker binds them is checked.
	Bindings []amqp.Binding

	// Management is the URL of the broker's management plugin, with user and password; "" skips
	// what needs it.
	Management string

	// URL is the root URL under which clients reach the proxy; "" skips what needs it.
	URL string

	// Token is sent to the proxy as Authorization: Bearer; "" sends none.
	Token string

	// Roots are the certificate authorities that are trusted beside URL; nil means the system's.
	Roots *x509.CertPool

	// Watch is how long a stream is watched for cuts; default: two and a half ping periods of the
	// settings; negative: it is not. Patience is how long an answer may take; default 10 s.
	Watch, Patience time.Duration
}

func (o Options) withDefaults() Options {
	if o.Problem != nil {
		o.Config = config.Default()
	}
	o.Patience = cmp.Or(o.Patience, 10*time.Second)
	o.Watch = cmp.Or(o.Watch, o.Config.Server.PingPeriod*5/2)
	return o
}

// visit is one examination: what a check has found that later ones use.
type visit struct {
	options Options

	trials []amqp.Trial // of the broker's addresses
	link   amqp.Link    // that is used from then on
	probe  *probe       // an exchange of our own
	url    *url.URL     // without a slash at the end of its path
	client *http.Client
	stream *stream
}

func (v *visit) close() {
	if v.stream != nil {
		v.stream.close()
	}
	if v.client != nil {
		v.client.CloseIdleConnections()
	}
	if v.probe != nil {
		v.probe.close()
	}
	for _, trial := range v.trials {
		if trial.Link != nil {
			trial.Link.Close(time.Second)
		}
	}
}

// checks is the table, in the order in which they are made.
var checks = []check{
	{"settings", "settings", nil, (*visit).settings},
	{"files", "limit of open files", nil, (*visit).files},

	{"broker.name", "name of the broker", []string{"settings"}, (*visit).brokerName},
	{"broker.tcp", "port of the broker", []string{"broker.name"}, (*visit).brokerTCP},
	{"broker.tls", "certificate of the broker", []string{"broker.tcp"}, (*visit).brokerTLS},
	{"broker.amqp", "AMQP at that port", []string{"broker.tls"}, (*visit).brokerAMQP},
	{"broker.login", "user and password", []string{"broker.amqp"}, (*visit).brokerLogin},
	{"broker.vhost", "virtual host", []string{"broker.login"}, (*visit).brokerVHost},
	{"broker.queue", "right to make queues and to read them", []string{"broker.vhost"}, (*visit).brokerQueue},
	{"broker.exchange", "right to bind the exchanges", []string{"broker.queue"}, (*visit).brokerExchange},
	{"broker.policies", "policies that drop messages", []string{"broker.queue"}, (*visit).brokerPolicies},
	{"broker.kinds", "kinds of the exchanges", []string{"broker.vhost"}, (*visit).brokerKinds},
	{"broker.routed", "exchanges that the proxy routes", []string{"broker.vhost"}, (*visit).brokerRouted},

	{"url.name", "public name of the proxy", nil, (*visit).urlName},
	{"url.tcp", "its port", []string{"url.name"}, (*visit).urlTCP},
	{"url.tls", "its certificate", []string{"url.tcp"}, (*visit).urlTLS},
	{"url.alive", "an events proxy behind it", []string{"url.tls"}, (*visit).urlAlive},
	{"url.stream", "head of a stream", []string{"url.alive"}, (*visit).urlStream},
	{"url.first", "first event of a stream", []string{"url.stream"}, (*visit).urlFirst},
	{"url.ready", "bindings of a stream", []string{"url.first"}, (*visit).urlReady},
	{"url.message", "a message from the broker to a client", []string{"url.ready"}, (*visit).urlMessage},
	{"url.idle", "a stream without messages", []string{"url.ready"}, (*visit).urlIdle},
	{"url.compression", "compression of streams", []string{"url.stream"}, (*visit).urlCompression},
	{"url.http2", "HTTP/2", []string{"url.alive"}, (*visit).urlHTTP2},
	{"url.stop", "end of reconnects (204)", []string{"url.alive"}, (*visit).urlStop},
	{"url.cors", "pages of other sites (CORS)", []string{"url.alive"}, (*visit).urlCORS},
}

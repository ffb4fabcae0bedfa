package amqp

import "crypto/x509"

// Step is a step on the way to a link.
type Step int

// The steps, in their order.
const (
	StepResolve Step = iota + 1 // the name has an address
	StepConnect                 // TCP
	StepSecure                  // TLS
	StepSpeak                   // AMQP is spoken
	StepLogin                   // user and password
	StepOpen                    // the virtual host, and limits of connections
)

// Trial is the try to open a link to one address, see [RabbitMQ.Try]. It is for people who look for
// what is wrong: Err holds the broker's own words.
type Trial struct {
	Host    string // of the URL, as host:port
	Address string // what was dialed; empty where the name could not be resolved
	Secure  bool   // by TLS

	// Failed is the step at which it failed, and Err why; 0 and nil where it succeeded.
	Failed Step
	Err    error

	// Certificate is what the address has shown; nil without TLS, or where TLS failed.
	Certificate *x509.Certificate

	// Link is open where nothing failed: the caller closes it.
	Link Link
}

// Package access decides by signed tokens (JSON Web Tokens) who may open which streams. A program
// that serves streams makes a [Guard] and hands its Admit to the handler; the events binary does so
// where EVENTS_AUTH_… settings name keys.
//
//	guard, err := access.New(access.Options{KeysFile: "/etc/events/keys.pem"})
//	…
//	handler := httpapi.New(system, httpapi.Options{Admit: guard.Admit})
//
// A token names its holder, its end, and what may be bound until then:
//
//	{"sub": "ada", "exp": 1796000000, "grants": [
//	  {"exchange": "exchange/taskcluster-queue/v1/*", "routingKeyPattern": "primary.#"}]}
//
// A request's every binding must be covered by one of the [Grants]. The way of a request:
//
//	guard.go     Admit: the token, its claims, the bindings; when the stream is to end
//	carrier.go   where in a request a token is: header, cookie, query parameter
//	verifier.go  signature and claims, against the keys
//	keys.go      keys of PEM, JWK sets and shared secrets, and what each may sign
//	files.go     the files of keys, read again when they have changed
//	grant.go     what a token allows; amqp.Binding.Covers compares the patterns
//	sign.go      makes tokens
//
// The package is apart from package httpapi, so that only programs that use it are built with the
// libraries of tokens.
package access

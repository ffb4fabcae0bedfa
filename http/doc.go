// Package httpapi is the HTTP face of the events proxy: it turns a request
// with bindings into a stream of server-sent events. The folder is named http;
// the package is not, so that net/http keeps its name for whoever imports both.
//
//	GET …/connect/?bindings=…
//	  routes.go    which handler
//	  connect.go   the checks, in the contract's order   request.go, binding.go
//	  serve.go     whose socket                          hijacked.go, flushed.go
//	  writer.go    events → frames → batches → socket    frame.go, batch.go
//
// A program that has its own HTTP server mounts New's Handler; one that has
// none uses Server, which knows the order in which things end. Nothing here
// touches a global: several handlers live in one process.
//
// # One writer for each socket
//
// A stream's bytes are written in one place, by one goroutine at a time. What
// waits is gathered into one write, each write has a deadline, and the broker
// may forget a message once its write has ended. A stream ends on a frame's
// end, or with a reset: a client never takes half a stream for a whole one.
//
// # A client that stops reading
//
// It loses its own stream and nothing else: its write misses the deadline, the
// stream is cut with SlowConsumer, and the client is told (tell.go), which it
// reads when it wakes up.
package httpapi

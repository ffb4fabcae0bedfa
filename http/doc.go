// Package httpapi is the HTTP face of the events proxy: it turns a request
// with bindings into a stream of server-sent events. The folder is named http;
// the package is not, so that net/http keeps its name where both are imported.
//
// A program that has an HTTP server of its own calls [New] with an
// [actors.System] and mounts the [Handler], at the root or below a prefix; or
// its parts, [Handler.Connect], [Handler.Inspector] and [Handler.Health], where
// it likes. It mounts [Handler.Operator] on a listener that is not public, takes
// the metrics from [Handler.Collector], and calls [Handler.Register], so that its
// server's Shutdown ends the streams. [Options.Admit] decides who gets one.
// A program that has no
// server uses [NewServer] and [Server.Serve]; [Server.Shutdown] ends everything
// in the right order. Package bindings is for programs with routes of their own,
// package access for those that admit clients by signed tokens.
// Nothing here touches a global: several handlers live in one process.
//
// # The way of a request
//
//	GET …/connect/?bindings=…
//	  routes.go    which handler
//	  connect.go   the checks, in the contract's order   bindings/, forwarded.go
//	  admit.go     what the host decides
//	  outlets.go   whose socket                          hijacked.go, flushed.go
//	  writer.go    events → frames → batches → socket    frame.go, batch.go
//
// What else a handler has:
//
//   - the checks of every path: handler.go, cors.go, ssl.go, body.go; answers with
//     a status: status.go, answer.go
//   - options.go; policy.go (what may change while it serves)
//   - parts.go (the handler in parts), register.go (a program's own http.Server)
//   - probes and descriptions: health.go, version.go, reference.go
//   - operators: operator.go, guard.go (who may ask), metrics.go, metrics_times.go,
//     metrics_process.go, metrics_collector.go
//   - pages: inspector/
//
// What an open response has:
//
//   - its head: head.go; its socket: socket.go, progress.go (a blocked write that
//     still moves), peers.go and epoll_linux.go (closed by the client)
//   - its end: verdicts.go (why), tell.go (a client that does not read),
//     streamlog.go
//   - registry.go (all of them); sse/ (the format)
//
// A process has, where it uses them: server.go, listener.go.
//
// Handler is policy: routes, checks, CORS, operators. What all open responses
// share, and the writing, know nothing of it (outlets.go, registry.go, peers.go).
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

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
// # For callers
//
// Access. [Options.Admit] gets the parsed request, and returns the context that the stream lives in,
// or an error that the client is told ([Unauthorized], [actors.Forbidden]). It may set the Subject,
// change the Bindings, and set a Map that filters the stream's messages. It must not decide by the
// query's text: two parsers of one text may differ.
//
// Contexts. A stream ends with the context that Admit returns, over every protocol, and at a deadline
// of the request's own. That the request's is cancelled ends streams of HTTP/2, and of HTTP/1.1 with
// [Options.NoHijack]; otherwise net/http itself cancels it when the connection is taken over.
//
// Middleware. What a middleware says of a body (Content-Encoding, Content-Length, ETag and the like)
// is dropped where the stream writes to the connection itself. A middleware that must see every byte,
// such as one that compresses, sets NoHijack, and its writer needs Flush and Unwrap: the log names the
// one that hides them.
//
// The end, in this order: Shutdown of the http.Server ([Handler.Register] makes it end the streams),
// [Handler.Shutdown] for those that have taken their connection over, Close of the [actors.System],
// the broker. Without a server of its own a program calls [Server.Shutdown], which does the first two.
//
// Concurrency. All methods of a Handler may be called concurrently. Admit and Map are called by many
// goroutines at a time; Map, for one stream, by one.
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

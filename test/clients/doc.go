// Package clients holds what reads the proxy's streams in tests. Stream is our
// own reader, on a socket of its own, that remembers everything it was sent;
// the tests beside it hand the same stream to other people's readers: Node's
// eventsource, a Go SSE library, curl.
package clients

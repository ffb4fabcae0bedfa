// Package doctor finds out why a proxy, or a page that reads from it, does not get its messages:
// the command `events doctor`.
//
// A caller fills [Options] and calls [Examine], which makes the checks in their order and returns a
// [Report]. A check names the checks that it needs: where one of those has not passed it is
// skipped, so that one cause is one FAIL.
//
//	settings ─▶ broker.name ─▶ .tcp ─▶ .tls ─▶ .amqp ─▶ .login ─▶ .vhost ─▶ .queue ─▶ .exchange
//	                                                                   └─▶ .policies, .kinds, .routed   (management)
//	url.name ─▶ .tcp ─▶ .tls ─▶ .alive ─▶ .stream ─▶ .first ─▶ .ready ─▶ .message
//	                                  │          │              └─▶ .idle
//	                                  │          └─▶ .compression
//	                                  └─▶ .http2, .stop, .cors
package doctor

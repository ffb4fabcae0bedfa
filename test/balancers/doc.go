// Package balancers puts three proxies, as processes of their own on one RabbitMQ, behind the load
// balancers that people use, with the files of config/deploy:
//
//	clients ──https──▶ nginx | HAProxy ──http──▶ proxy, proxy, proxy ──▶ RabbitMQ ◀── a message every 20 ms
//
// The clients obey the contract: after a retryable error they wait as they are told, and open
// another stream.
//
// With 300 clients at up to fifty messages a second each, on two busy cores (-clients 300; 26
// November 2026): 639 streams behind nginx and 667 behind HAProxy, no status but 200, all ready at
// the end; 110,909 and 111,570 messages received, 14,573 and 11,304 missed between two streams of a
// client (a second's worth each time), none within a stream.
package balancers

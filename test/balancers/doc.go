// Package balancers puts three proxies, as processes of their own on one RabbitMQ, behind the load
// balancers that people use, with the files of config/deploy:
//
//	clients ──https──▶ nginx | HAProxy ──http──▶ proxy, proxy, proxy ──▶ RabbitMQ ◀── a message every 20 ms
//
// The clients obey the contract: after a retryable error they wait as they are told, and open
// another stream.
package balancers

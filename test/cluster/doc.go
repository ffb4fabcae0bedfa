// Package cluster shows what becomes of streams when something happens to the nodes of a RabbitMQ
// cluster: A40 to A43. The proxy runs in the test's own process, knows the addresses of all
// three nodes, and makes a link for few streams, so that its links are on several nodes.
package cluster

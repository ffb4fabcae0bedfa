// Package bench measures the proxy as its users have it: the program `events`
// in a process of its own, a real RabbitMQ, clients on real sockets. Beside
// each figure stands that of the least program that could do the same work,
// taken in the same run, because the ratio is what another machine repeats.
//
//	publisher ──▶ RabbitMQ ──▶ events serve │ bare sockets │ bare consumers ──▶ fleet
//	└─ this process                a process each, read in /proc     this process ─┘
//
// `make bench` runs all of it; README.md has results and how to read them,
// PROFILES.md what the profiles taught, SCALE.md what a million clients take.
package bench

// Package chaos plays scripts against the real proxy: its binary as a process
// of its own, a RabbitMQ of its own, and a gate between the two that can be
// harmed. The scripts (scripts/*.txt) are the scenario language of package
// script; what can befall the broker is package faults. Command events-chaos
// plays them anywhere.
//
//	clients ──▶ events serve ──▶ gate (toxiproxy) ──▶ private RabbitMQ
//	               ▲ operators' listener: live tree, crashes
//	            the script
//
// When a script ends, the process must end with status 0 and the broker must
// hold nothing of the proxy's.
//
// What a run does and sees is written by package history, judged by package check
// and shown by package report.
package chaos

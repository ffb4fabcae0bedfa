// Package embed proves that the proxy is a library: a program in a module of
// its own, outside this repository, mounts it; and one of sixty lines decides whose stream it is and
// for how long, and has the metrics in a registry of its own.
package embed

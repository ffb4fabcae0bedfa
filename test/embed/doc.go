// Package embed proves that the proxy is a library: a program in a module of
// its own, outside this repository, mounts it.
package embed

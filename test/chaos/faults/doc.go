// Package faults is what can befall a proxy: one fault a file. A fault has one
// name, in scripts (`broker black-hole`), in Go and in the documentation; it
// happens at a Site, and is over when another fault undoes it: heal for the
// network, start, thaw and the other opposites for the broker.
//
// WRITING_FAULTS.md, one folder up, shows how to write one.
package faults

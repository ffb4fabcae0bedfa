// Package methods has a type in one file, its method in another and a caller in a third.
package methods

type receiver struct{}

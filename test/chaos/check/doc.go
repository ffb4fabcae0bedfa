// Package check judges a run by its history alone. [Judge] reads the lines of a
// history.ndjson and returns a [Judgement]: the verdict, each invariant with how
// often it was tried, and every violation with its time.
//
// It imports nothing of this repository: what the runner counted while the run
// went on is not looked at, except to say whether both agree. The format of the
// lines is in the documentation of package history.
package check

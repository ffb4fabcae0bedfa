// Command defects plants one defect after the other into a copy of the repository
// and runs the suites that should notice. What no suite notices is a hole in the
// tests, not in the defect.
//
//	go run ./test/defects              every defect, with the suites that it names
//	go run ./test/defects ack ready    those whose names contain a word
//
// A suite that fails without a defect has failures of its own: only others count.
package main

// Command defects plants one defect after the other into a copy of the repository
// and runs what should notice. What nothing notices is a hole in the tests, not in
// the defect.
//
//	go run ./test/defects                        every defect, with the suites that it names
//	go run ./test/defects -chaos                 those that can be seen from outside, with events-chaos
//	go run ./test/defects -chaos -reports DIR    and keeps the reports
//	go run ./test/defects ack ready              those whose names contain a word
//
// A suite that fails without a defect has failures of its own: only others count. A
// run of events-chaos must pass without a defect, and count for nothing else; with one
// it must fail, and its page must show the violation with what happened around it.
package main

package report

import (
	"encoding/xml"
	"fmt"

	"github.com/taskcluster/events-proxy/test/chaos/check"
)

// junit.xml, as build servers read it: a test case for each invariant, and for each
// script.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Stamp    string      `xml:"timestamp,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string       `xml:"classname,attr"`
		Name    string       `xml:"name,attr"`
		Time    string       `xml:"time,attr,omitempty"`
		Failure *junitReason `xml:"failure"`
		Error   *junitReason `xml:"error"`
		Skipped *junitReason `xml:"skipped"`
	}
	junitReason struct {
		Message string `xml:"message,attr"`
	}
)

func (r *reading) junit() []byte {
	suite := junitSuite{Name: "events-chaos", Time: fmt.Sprintf("%.3f", r.last), Stamp: r.run.Started}
	for _, i := range r.judgement.Invariants {
		suite.add(junitCase{Class: "events-chaos.invariants", Name: i.Name + ": " + i.Claim}, i.Verdict, r.why(i))
	}
	for _, s := range r.scripts {
		suite.add(junitCase{Class: "events-chaos.scripts", Name: s.Script + ": " + s.Claim, Time: fmt.Sprintf("%.3f", s.Took)}, s.Verdict, s.Reason)
	}
	verdict := ""
	for _, why := range r.judgement.Unknown {
		verdict += why + "; "
	}
	suite.add(junitCase{Class: "events-chaos", Name: "verdict"}, r.verdict, verdict)
	text, _ := xml.MarshalIndent(suite, "", "\t") // strings and numbers always marshal
	return append([]byte(xml.Header), append(text, '\n')...)
}

// why returns the first violation of an invariant, or why it was not judged.
func (r *reading) why(i check.Invariant) string {
	for _, v := range r.judgement.Violations {
		if v.Invariant == i.Name {
			return fmt.Sprintf("%.3f s: %s", v.T, v.Says)
		}
	}
	return i.Reason
}

// add enters a case; what is unknown is an error, which is not a failure and not a
// pass either.
func (s *junitSuite) add(c junitCase, verdict, why string) {
	s.Tests++
	switch verdict {
	case "pass":
	case "fail":
		c.Failure = &junitReason{why}
		s.Failures++
	case "skipped":
		c.Skipped = &junitReason{why}
		s.Skipped++
	default:
		c.Error = &junitReason{why}
		s.Errors++
	}
	s.Cases = append(s.Cases, c)
}

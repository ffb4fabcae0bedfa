package script

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// expectAnswer claims something of what get was answered last: its status line, its headers in
// alphabetical order and its body match a regular expression, of which ^ and $ are the ends of a line.
//
//	get    /__heartbeat__
//	expect answer '^200 OK$'
//	! expect answer '^Set-Cookie'
func (w *world) expectAnswer(neg bool, words []string) error {
	want, err := regexp.Compile("(?m)" + strings.Join(words, " "))
	switch {
	case err != nil:
		return err
	case w.answer == "":
		return errors.New("nothing was asked for by get")
	case neg && want.MatchString(w.answer):
		return errors.New("the claim is true")
	case !neg && !want.MatchString(w.answer):
		return fmt.Errorf("%s does not match the answer:\n%s", want, w.answer)
	}
	return nil
}

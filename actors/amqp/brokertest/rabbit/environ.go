package rabbit

import (
	"os"
	"slices"
	"strings"
)

// Environ returns the environment for a program of ours: that of the tests without their own
// variables, PULSE_TEST_…, which the program would refuse as settings it does not know.
func Environ() []string {
	return slices.DeleteFunc(os.Environ(), func(line string) bool { return strings.HasPrefix(line, "PULSE_TEST_") })
}

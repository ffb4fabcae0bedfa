package script

import (
	"fmt"
	"os"
	"strings"
)

// Claim returns what a script says that it proves: its first line, without the
// comment sign; with an error, where that is no sentence.
func Claim(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	claim := strings.TrimSpace(strings.TrimPrefix(first, "#"))
	if !strings.HasPrefix(first, "# ") || len(strings.Fields(claim)) < 4 {
		return claim, fmt.Errorf("%s opens with %q, which is no claim", file, first)
	}
	return claim, nil
}

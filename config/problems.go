package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with the settings.
type Problem struct {
	Where string // --port, PORT, user-config.yml:7: production: server.port
	Why   string // a part of a sentence; holds no secret
}

func (p Problem) String() string { return p.Where + ": " + p.Why }

// Problems is all that is wrong, as an error with a line for each.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

func (p *Problems) add(where, format string, args ...any) {
	*p = append(*p, Problem{where, fmt.Sprintf(format, args...)})
}

// err returns nil where there is no problem.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// UsageError is a command line that cannot be read; help is due beside it.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *UsageError) Unwrap() error { return e.Err }

package main

import (
	"context"
	"fmt"
	"io"
)

// token makes and checks tokens.
func (p process) token(_ context.Context, args []string) int {
	word := ""
	if len(args) > 0 {
		word = args[0]
	}
	switch word {
	case "make":
		return p.tokenMake(args[1:])
	case "check":
		return p.tokenCheck(args[1:])
	case "--help", "-h":
		p.tokenUsage(p.stdout)
		return succeeded
	}
	p.tokenUsage(p.stderr)
	return misused
}

func (p process) tokenUsage(w io.Writer) {
	fmt.Fprint(w, "events token: makes and checks the tokens that a proxy may ask for\n\nUsage:\n"+
		"  events token make [flags] GRANT…\n  events token check [flags] [BINDING…]\n\n`events token make --help` and `events token check --help` list the flags.\n")
}

package main

import (
	"errors"
	"flag"
	"os"
	"strings"
)

var errTwoTokens = errors.New("--token and --token-file are both given: one of them is enough")

// tokenFlags are the flags of commands that bring a token to a proxy.
type tokenFlags struct{ text, file string }

// define adds the flags to those of a command; when says when the file is read.
func (t *tokenFlags) define(f *flag.FlagSet, when string) {
	f.StringVar(&t.text, "token", "", "`TOKEN` that the proxy asks for; better in the variable EVENTS_TOKEN, as flags are seen by every user of the machine")
	f.StringVar(&t.file, "token-file", "", "`FILE` with the token"+when)
}

// given returns the token of the flag, else of the environment; "" where a file is named.
func (t *tokenFlags) given(p process) string {
	switch {
	case t.text != "":
		return t.text
	case t.file == "":
		return p.env("EVENTS_TOKEN")
	}
	return ""
}

// read returns the token of the flags, else of the environment; "" for none.
func (t *tokenFlags) read(p process) (string, error) {
	if t.text != "" && t.file != "" {
		return "", errTwoTokens
	}
	if t.file == "" {
		return t.given(p), nil
	}
	text, err := os.ReadFile(t.file)
	return strings.TrimSpace(string(text)), err
}

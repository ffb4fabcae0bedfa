package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/cmd/events/tail"
	"github.com/taskcluster/events-proxy/cmd/options"
	"github.com/taskcluster/events-proxy/http/access"
)

const (
	tokenCheckHelp = `checks a token as the proxy with these settings would.

It reads the token from --token-file, EVENTS_TOKEN or standard input, and writes
whose it is, until when, what it grants, and whether that covers the BINDINGs.
Exit status: 0 good, 1 refused, 2 misused.`
	tokenCheckExamples = `  events token check < token
  events token check --token-file token exchange/taskcluster-queue/v1/task-completed:primary.#
`
)

// tokenCheck says what a token is good for.
func (p process) tokenCheck(args []string) int {
	t := newTool("token check", "[BINDING...]", tokenCheckHelp, tokenCheckExamples)
	file := t.flags.String("token-file", "", "`FILE` with the token")
	configFile := t.flags.String("config", "", "`FILE` with settings")
	profile := t.flags.String("profile", "", "`SECTION` of the settings file")
	arguments, status, ok := t.parse(p, args)
	if !ok {
		return status
	}
	var bindings []amqp.Binding
	var err error
	if len(arguments) > 0 {
		bindings, err = tail.ParseBindings(arguments)
	}
	if err != nil {
		return t.misuse(p, "%v", err)
	}
	c, status, ok := p.settings(t.name, settingsOf(*configFile, *profile))
	if !ok {
		return status
	}
	if !c.Auth.On() {
		return t.misuse(p, "the settings name no keys (EVENTS_AUTH_KEYS_FILE, EVENTS_AUTH_SECRET_FILE)")
	}
	guard, err := access.New(options.Auth(c, nil))
	if err != nil {
		return t.misuse(p, "%v", err)
	}
	token, err := p.givenToken(*file)
	if err != nil {
		return t.misuse(p, "%v", err)
	}
	return p.report(guard, token, bindings)
}

// report writes what a token allows, and returns the exit status.
func (p process) report(guard *access.Guard, token string, bindings []amqp.Binding) int {
	claims, err := guard.Check(token)
	if err != nil {
		fmt.Fprintf(p.stderr, "events token check: the token is refused: %v\n", err)
		return failed
	}
	expires := claims.ExpiresAt.Time
	fmt.Fprintf(p.stdout, "subject  %q\nexpires  %s (in %v)\n", claims.Subject, expires.UTC().Format(time.RFC3339), time.Until(expires).Round(time.Second))
	for _, g := range claims.Grants {
		fmt.Fprintf(p.stdout, "grant    %v\n", amqp.Binding(g))
	}
	status := succeeded
	for _, b := range bindings {
		verdict := "covered"
		if _, found := claims.Grants.Uncovered([]amqp.Binding{b}); found {
			verdict, status = "not covered", failed
		}
		fmt.Fprintf(p.stdout, "binding  %v: %s\n", b, verdict)
	}
	return status
}

// givenToken returns the token of a file or the environment, else of standard input.
func (p process) givenToken(file string) (string, error) {
	flags := tokenFlags{file: file}
	if token, err := flags.read(p); err != nil || token != "" {
		return token, err
	}
	text, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
	return strings.TrimSpace(string(text)), err
}

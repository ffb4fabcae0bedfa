package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A token that is made is good where the settings say so, and shows what it is good for; anything else
// is named, with the status that scripts act on.
func TestTokensAreMadeAndChecked(t *testing.T) {
	secret := aSecret(t)
	private, public := aKey(t)
	token := aToken(t, "--secret-file", secret)
	file := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(file, []byte(aToken(t, "--key-file", private, "--life=1h")+"\n"), 0o600))
	made := execute(t, []string{"EVENTS_AUTH_SECRET_FILE=" + secret, "EVENTS_AUTH_ISSUER=us", "EVENTS_AUTH_AUDIENCE=events"}, "token", "make", "e")
	const running = "exchange/taskcluster-queue/v1/task-running"
	for _, row := range []struct {
		name   string
		status int
		want   string
		env    []string
		args   []string
	}{
		{"good", succeeded, "subject  \"ada\"\nexpires  ", []string{"EVENTS_TOKEN=" + token, "EVENTS_AUTH_SECRET_FILE=" + secret}, []string{"check"}},
		{"its grants", succeeded, "grant    \"exchange/taskcluster-queue/v1/*\" \"primary.#\"\n", []string{"EVENTS_TOKEN=" + token, "EVENTS_AUTH_SECRET_FILE=" + secret}, []string{"check"}},
		{"of a file", succeeded, "(in ", []string{"EVENTS_AUTH_KEYS_FILE=" + public}, []string{"check", "--token-file", file}},
		{"settings' secret, issuer and audience", succeeded, `"e" "#"`, []string{"EVENTS_TOKEN=" + strings.TrimSpace(made.stdout), "EVENTS_AUTH_SECRET_FILE=" + secret, "EVENTS_AUTH_ISSUER=us", "EVENTS_AUTH_AUDIENCE=events"}, []string{"check"}},
		{"covered", succeeded, `"primary.x": covered`, []string{"EVENTS_TOKEN=" + token, "EVENTS_AUTH_SECRET_FILE=" + secret}, []string{"check", running + ":primary.x"}},
		{"not covered", failed, `"#": not covered`, []string{"EVENTS_TOKEN=" + token, "EVENTS_AUTH_SECRET_FILE=" + secret}, []string{"check", running}},
		{"of another key", failed, "refused: no key is for", []string{"EVENTS_TOKEN=" + token, "EVENTS_AUTH_KEYS_FILE=" + public}, []string{"check"}},
		{"nothing", failed, "refused: it is not a JSON Web Token", []string{"EVENTS_AUTH_KEYS_FILE=" + public}, []string{"check"}},
		{"no keys", misused, "the settings name no keys", []string{"EVENTS_TOKEN=" + token}, []string{"check"}},
		{"nothing to sign with", misused, "--key-file or --secret-file", nil, []string{"make", "e"}},
		{"two to sign with", misused, "one of them is enough", nil, []string{"make", "--key-file", private, "--secret-file", secret, "e"}},
		{"a public key to sign with", misused, "this is a public key", nil, []string{"make", "--key-file", public, "e"}},
		{"no grant", misused, "a GRANT is missing", nil, []string{"make", "--secret-file", secret}},
		{"half a star", misused, "one whole segment", nil, []string{"make", "--secret-file", secret, "exchange/a-*:#"}},
		{"no life", misused, "--life must be positive", nil, []string{"make", "--secret-file", secret, "--life=0s", "e"}},
		{"no word", misused, "events token make [flags] GRANT", nil, nil},
		{"help", succeeded, "events token make [flags] GRANT", nil, []string{"--help"}},
		{"help of make", succeeded, "--key-id ID", nil, []string{"make", "--help"}},
		{"help of check", succeeded, "Exit status", nil, []string{"check", "-h"}},
	} {
		r := execute(t, row.env, append([]string{"token"}, row.args...)...)
		if r.status != row.status || !strings.Contains(r.stdout+r.stderr, row.want) {
			t.Errorf("%s: %+v", row.name, r)
		}
		if strings.Contains(r.stdout+r.stderr, token) {
			t.Errorf("%s: the token is shown", row.name)
		}
	}
}

// What reads a service in a shell brings its token: by a flag, a file or the environment; without one
// it says what is missing.
func TestToolsBringTheirToken(t *testing.T) {
	secret := aSecret(t)
	events := start(t, nil, "demo", "--port=0", "--auth-secret-file", secret)
	token := aToken(t, "--secret-file", secret)
	file := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	const binding = "exchange/taskcluster-queue/v1/task-running:primary.#"
	for _, row := range []struct {
		name   string
		status int
		want   string
		env    []string
		args   []string
	}{
		{"wait, environment", succeeded, `"routingKey":"primary.`, []string{"EVENTS_TOKEN=" + token}, []string{"wait", binding}},
		{"tail, flag", succeeded, `"routingKey":"primary.`, []string{"EVENTS_TOKEN=x"}, []string{"tail", "--token", token, "--count=1", binding}},
		{"tail, file", succeeded, `"routingKey":"primary.`, []string{"EVENTS_TOKEN=x"}, []string{"tail", "--token-file", file, "--count=1", binding}},
		{"wait, none", refused, "Unauthorized", nil, []string{"wait", binding}},
		{"wait, not granted", refused, "Unauthorized", []string{"EVENTS_TOKEN=" + token}, []string{"wait", "exchange/taskcluster-queue/v1/task-running"}},
		{"tail, two", misused, "one of them is enough", nil, []string{"tail", "--token=x", "--token-file", file, binding}},
		{"tail, of a broker", misused, "--token", nil, []string{"tail", "--broker", "--token=x", binding}},
	} {
		args := append(row.args, "--url", events.url)
		if row.name == "tail, of a broker" {
			args = row.args
		}
		r := execute(t, row.env, args...)
		if r.status != row.status || !strings.Contains(r.stdout+r.stderr, row.want) {
			t.Errorf("%s: %+v", row.name, r)
		}
		if strings.Contains(r.stdout+r.stderr, token) {
			t.Errorf("%s: the token is shown", row.name)
		}
	}
	for args, want := range map[string]string{"--token " + token: "PASS  url.ready", "": "the service asks for a token"} {
		r := execute(t, nil, append([]string{"doctor", "--watch=0", "--binding", binding, events.url}, strings.Fields(args)...)...)
		if !strings.Contains(r.stdout, want) || strings.Contains(r.stdout+r.stderr, token) {
			t.Errorf("doctor %.7s: %+v", args, r)
		}
	}
}

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A command line that means nothing gets one line on standard error and status 2, with what was
// probably meant; a person who asks for help gets it on standard output and status 0.
func TestUsage(t *testing.T) {
	for _, row := range []struct {
		args   []string
		status int
		want   string
	}{
		{nil, misused, "Usage:"},
		{[]string{"bogus"}, misused, `events: unknown command "bogus" (events --help lists the commands)`},
		{[]string{"srve"}, misused, `events: unknown command "srve"; did you mean serve?`},
		{[]string{"serve", "--bogus"}, misused, "unknown flag: --bogus (events serve --help lists the flags)"},
		{[]string{"serve", "--prot=1"}, misused, "unknown flag: --prot; did you mean --port?"},
		{[]string{"serve", "-port=1"}, misused, "unknown flag: -port; did you mean --port?"},
		{[]string{"serve", "--prot=1", "--help"}, misused, "unknown flag: --prot; did you mean --port?"},
		{[]string{"serve", "stray"}, misused, `unexpected argument \"stray\"`},
		{[]string{"demo", "--port"}, misused, "--port"},
		{[]string{"config", "--bogus"}, misused, "events config: unknown flag: --bogus (events config --help lists the flags)"},
		{[]string{"tail", "--count=few", "e"}, misused, `events tail: --count: "few" is not a whole number (see: events tail --help)`},
		{[]string{"tail", "--timeout=5", "e"}, misused, `events tail: --timeout: "5" is not a duration, such as 90s or 5m (see: events tail --help)`},
		{[]string{"wait", "--quiet=perhaps", "e"}, misused, `events wait: --quiet: "perhaps" is neither true nor false (see: events wait --help)`},
		{[]string{"doctor", "--watch"}, misused, "events doctor: --watch needs a value (see: events doctor --help)"},
		{[]string{"version", "1"}, misused, "wrong arguments"},
		{[]string{"write-docs"}, misused, "wrong arguments"},
		{[]string{"help"}, succeeded, "Usage:"},
		{[]string{"--help"}, succeeded, "write-docs"},
		{[]string{"serve", "--help"}, succeeded, "--pulse-url"},
		{[]string{"server", "-h"}, succeeded, "PULSE_URL"},
		{[]string{"demo", "--help"}, succeeded, "Runs the whole proxy with a broker in this process"},
		{[]string{"config", "--help"}, succeeded, "--drain-time"},
		{[]string{"version", "--help"}, succeeded, "Usage:"},
	} {
		r := execute(t, nil, row.args...)
		text, other := r.stdout, r.stderr
		if row.status != succeeded {
			text, other = r.stderr, r.stdout
		}
		if r.status != row.status || !strings.Contains(text, row.want) || other != "" {
			t.Errorf("%v: %+v", row.args, r)
		}
		if strings.Contains(row.want, "unknown") && strings.Count(text, "\n") != 1 {
			t.Errorf("%v: not one line: %s", row.args, text)
		}
	}
}

func TestVersionNamesTheBuild(t *testing.T) {
	r := execute(t, nil, "version")
	if r.status != succeeded || !strings.HasPrefix(r.stdout, "events ") || !strings.Contains(r.stdout, "(commit ") || !strings.Contains(r.stdout, " go1.") {
		t.Errorf("%+v", r)
	}
}

// config shows what is in effect and from where, and no secret.
func TestConfigHidesSecrets(t *testing.T) {
	r := execute(t, []string{"PULSE_URL=amqps://ada:hunter2@pulse.example.org/v", "PULSE_PASSWORD=hunter2", "PORT=8080", "EVENTS_STREAMS=7"}, "config", "--streams=9")
	for _, want := range []string{"production:", "port: 8080 # PORT", "streams: 9 # --streams", "amqps://pulse.example.org/v; hidden", "namespace: ada", "bindings: 100 # default"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("missing %q", want)
		}
	}
	if r.status != succeeded || r.stderr != "" || strings.Contains(r.stdout, "hunter2") {
		t.Errorf("%+v", r)
	}
}

// With settings that are wrong, config names all of them and has the status of serve.
func TestConfigNamesEveryProblem(t *testing.T) {
	file := filepath.Join(t.TempDir(), "my.yml")
	os.WriteFile(file, []byte("test:\n  server: {prot: 1}\n"), 0o600)
	r := execute(t, []string{"PORT=x", "PULSE_URL=hunter2", "NODE_ENV=test"}, "config", "--prefetch=0", "--config", file)
	for _, want := range []string{"PORT: ", "PULSE_URL: ", "--prefetch: ", file + ":2: test: server.prot: unknown key"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("missing %q", want)
		}
	}
	if r.status != misused || r.stdout != "" || strings.Contains(r.stderr, "hunter2") {
		t.Errorf("%+v", r)
	}
}

// config is useful before there is a broker: it prints what is in effect and names what is missing.
func TestConfigWithoutABroker(t *testing.T) {
	if r := execute(t, nil, "config"); r.status != misused || r.stderr != "events config: no broker: set PULSE_URL, or PULSE_USERNAME, PULSE_PASSWORD and PULSE_HOSTNAME\n" || !strings.Contains(r.stdout, "port: 12345") {
		t.Errorf("%+v", r)
	}
}

// What keeps serve from starting, config finds: a deployment checked with it starts.
func TestConfigHasTheVerdictOfServe(t *testing.T) {
	const broker = "PULSE_URL=" + noBroker
	for _, row := range []struct {
		env  []string
		want string
	}{
		{nil, "no broker: set PULSE_URL"},
		{[]string{broker, "EVENTS_STRAEMS=5"}, "EVENTS_STRAEMS: unknown variable; did you mean EVENTS_STREAMS?"},
		{[]string{broker, "PORT=x"}, "PORT: "},
		{[]string{broker, "PULSE_NAMESPACE=a\x01"}, "PULSE_NAMESPACE: "},
		{[]string{broker, "PULSE_NAMESPACE=" + strings.Repeat("x", 250)}, "PULSE_NAMESPACE: "},
		{[]string{broker, "EVENTS_TLS_CERTIFICATE=absent", "EVENTS_TLS_KEY=absent"}, "EVENTS_TLS_CERTIFICATE: certificate absent with key absent"},
		{[]string{broker, "TASKCLUSTER_ROOT_URL=https://h/a//b"}, "TASKCLUSTER_ROOT_URL: "},
		{[]string{broker, "TASKCLUSTER_ROOT_URL=https://h/v1/connect"}, "TASKCLUSTER_ROOT_URL: "},
		{[]string{"PULSE_URL=amqps://h/v?cacertfile=absent"}, "PULSE_URL: "},
		{[]string{"PULSE_URL=amqps://h/v?heartbaet=5"}, `PULSE_URL: `},
		{[]string{"PULSE_URL=amqp://a/v,amqp://b/v"}, "PULSE_URL: the value is more than one URL"},
	} {
		for _, command := range []string{"config", "serve"} {
			if r := execute(t, row.env, command); r.status != misused || !strings.Contains(r.stderr, row.want) {
				t.Errorf("%s with %v: %+v", command, row.env, r)
			}
		}
	}
}

func TestWriteDocs(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "docs")
	if r := execute(t, []string{"TASKCLUSTER_ROOT_URL=https://tc.example.org"}, "write-docs", folder); r.status != succeeded {
		t.Fatalf("%+v", r)
	}
	for name, want := range map[string]string{
		"references/api.json": "https://tc.example.org/schemas/", "settings.json": "PULSE_URL",
		"settings.md": "| `PULSE_URL`, `PULSE_URL_FILE` |", "user-config-example.yml": "production:",
	} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		if strings.HasSuffix(name, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", name)
		}
	}
	if r := execute(t, nil, "write-docs", filepath.Join(folder, "settings.md")); r.status != failed || r.stderr == "" {
		t.Errorf("into a file: %+v", r)
	}
}

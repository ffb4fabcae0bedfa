package config

import (
	"fmt"
	"strings"
	"testing"
)

// The original's example file is read as it is, with its profile test.
func TestOriginalsUserConfig(t *testing.T) {
	original := "test:\n   pulse:\n    username:       'ada'\n    password:       'secret'\n    hostname:       'pulse.example.org'\n    vhost:          '/'\n"
	w := world{env: map[string]string{"NODE_ENV": "test"}, files: map[string]string{DefaultFile: original}}
	c := w.mustLoad(t)
	if url, _ := c.Pulse.BrokerURL(); url.Reveal() != "amqps://ada:secret@pulse.example.org:5671/%2F" || c.Pulse.Namespace != "ada" || c.File != DefaultFile {
		t.Errorf("url %s, namespace %q, file %q", url.Reveal(), c.Pulse.Namespace, c.File)
	}
	w.env = map[string]string{"PULSE_URL": "amqp://x/"}
	if c := w.mustLoad(t); c.Profile != "production" || c.Pulse.Username != "" {
		t.Errorf("profile %q reads another profile's section: %+v", c.Profile, c.Pulse)
	}
}

// The tags of the original's config.yml take values from the environment; a variable that is not
// set leaves the setting alone.
func TestEnvTags(t *testing.T) {
	c := world{
		env: map[string]string{"WHO": "ada", "PASS": "12", "WHERE": "h", "NUMBER": "77", "FORCE": "true", "MANY": "a b"},
		files: map[string]string{DefaultFile: `
defaults:
  taskcluster: {rootUrl: !env:string NOT_SET}
  server: {port: !env:number NUMBER, env: development, forceSSL: !env:bool FORCE, exchanges: !env:list MANY}
  pulse: {username: !env WHO, password: !env "PASS", hostname: !env:string:optional WHERE, vhost: !env NOT_SET}
production:
  server: {env: production}
`},
	}.mustLoad(t)
	if c.Server.Port != 77 || !c.Server.ForceSSL || c.Pulse.Username != "ada" || c.Pulse.Password.Reveal() != "12" || c.Pulse.VHost != "/" || c.Server.RootURL != "" || len(c.Server.Exchanges) != 2 {
		t.Errorf("got %+v", c)
	}
}

// What looks like a number, a date or a truth to YAML stays what was written.
func TestValuesStayAsWritten(t *testing.T) {
	for _, text := range []string{"0123", "1e3", "0x1F", "2026-11-20", "yes", "1_000", "12:30:45", "-0"} {
		c := world{env: map[string]string{"PULSE_HOSTNAME": "h"}, files: map[string]string{
			DefaultFile: "production: {pulse: {username: u, password: " + text + "}}\n",
		}}.mustLoad(t)
		if c.Pulse.Password.Reveal() != text {
			t.Errorf("%s became %s", text, c.Pulse.Password.Reveal())
		}
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"no YAML", "production: [", DefaultFile + ": line 1: "},
		{"a list", "- a\n", "user-config.yml:1: must be a mapping, with keys"},
		{"profile is a value", "production: 3\n", "user-config.yml:1: production: must be a mapping, with keys"},
		{"group is a value", "production: {server: 3}\n", "production: server: must be a mapping, with keys"},
		{"value is a mapping", "production: {server: {port: {a: 1}}}\n", "production: server.port: must be a value, not a mapping"},
		{"no profile", "pulse: {username: a}\n", "pulse: is no profile: settings stand in a section per profile, such as production: {pulse: ...}"},
		{"key twice", "production:\n  server:\n    port: 1\n    port: 2\n", `user-config.yml:4: production: server: key "port" is there a second time`},
		{"meaning twice", "production:\n  server:\n    publicUrl: a\n    rootUrl: b\n", "user-config.yml:4: production: server.rootUrl: means the same as server.publicUrl in line 3"},
		{"two documents", "production: {}\n---\ntest: {}\n", "holds more than one YAML document"},
		{"other tag", "production: {server: {port: !secret x}}\n", "production: server.port: unknown tag (a text that starts with ! is written in quotes)"},
		{"json from a variable", "production: {server: {port: !env:json X}}\n", "unknown tag: !env, or !env: with string, number, bool or list"},
		{"comma in a list", "production: {server: {exchanges: ['a,b']}}\n", "an item of the list holds a comma"},
	} {
		_, err := world{files: map[string]string{DefaultFile: row.text}}.load()
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", row.name, err, row.want)
		}
	}
}

func TestFilesThatSayNothing(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "production:\n", "production: {server: }\n", "defaults: {}\n"} {
		if c := (world{args: []string{"--config", "f"}, files: map[string]string{"f": text}}).mustLoad(t); c.Server.Port != 12345 {
			t.Errorf("%q: port %d", text, c.Server.Port)
		}
	}
}

// A file that was asked for must be there; the default one need not.
func TestMissingFileIsNamed(t *testing.T) {
	_, err := world{args: []string{"--config", "absent.yml"}}.load()
	if err == nil || !strings.Contains(err.Error(), "absent.yml") {
		t.Errorf("got %v", err)
	}
}

// A profile that was asked for and has no section would run on defaults without notice.
func TestMissingProfileIsNamed(t *testing.T) {
	file := map[string]string{DefaultFile: "test: {}\nstaging: {}\n"}
	for _, w := range []world{
		{args: []string{"--profile", "prod"}, files: file},
		{env: map[string]string{"NODE_ENV": "prod"}, files: file},
	} {
		_, err := w.load()
		if err == nil || !strings.Contains(err.Error(), `no section "prod" for the profile (--profile or NODE_ENV); the file has staging, test`) {
			t.Errorf("got %v", err)
		}
	}
	world{files: file}.mustLoad(t) // the default profile was not asked for
	file = map[string]string{DefaultFile: "defaults: {}\nstaging: {}\n"}
	if _, err := (world{args: []string{"--profile", "stagign"}, files: file}).load(); err == nil || !strings.Contains(err.Error(), `no section "stagign" for the profile (--profile or NODE_ENV); the file has defaults, staging; is one of them misspelt?`) {
		t.Errorf("got %v", err)
	}
	world{args: []string{"--profile", "production"}, files: file}.mustLoad(t) // the default one needs no section of its own
}

// So would one for which there is no file at all, as in the wrong folder.
func TestAProfileWithoutAFileIsNamed(t *testing.T) {
	if _, err := (world{args: []string{"--profile", "staging"}}).load(); err == nil || !strings.Contains(err.Error(), `--profile: there is no user-config.yml here to take the section "staging" from`) {
		t.Errorf("got %v", err)
	}
	world{args: []string{"--profile", "production"}}.mustLoad(t) // the default
	world{env: map[string]string{"NODE_ENV": "staging"}}.mustLoad(t)
}

func TestFlagWinsOverNodeEnv(t *testing.T) {
	c := world{
		args: []string{"--profile=a"}, env: map[string]string{"NODE_ENV": "b"},
		files: map[string]string{DefaultFile: "a: {server: {port: 1}}\nb: {server: {port: 2}}\n"},
	}.mustLoad(t)
	if c.Profile != "a" || c.Server.Port != 1 {
		t.Errorf("profile %q, port %d", c.Profile, c.Server.Port)
	}
}

// A person who looks for a setting finds it in the shipped example.
func TestExampleFileShowsEverySetting(t *testing.T) {
	for _, s := range Settings {
		_, name, _ := strings.Cut(s.Key, ".")
		if !strings.Contains(Example, " "+name+":") {
			t.Errorf("%s is not in the example", s.Key)
		}
	}
}

// Sections share settings by YAML's merge keys: what a mapping has itself wins, then what is named
// first.
func TestMergeKeys(t *testing.T) {
	c := world{args: []string{"--profile=b"}, files: map[string]string{DefaultFile: `
a: &a
  server: &server {port: 1, host: a, rootUrl: https://a}
  limits: {streams: 7}
more: {server: &more {port: 2, shareQueues: true}}
b:
  <<: *a
  server:
    <<: [*server, *more]
    host: b
`}}.mustLoad(t)
	got := fmt.Sprintln(c.Server.Port, c.Server.Host, c.Server.RootURL, c.Server.ShareQueues, c.Limits.Streams)
	if want := "1 b https://a true 7\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if source := c.Source("limits.streams"); source != "user-config.yml:4: b: limits.streams" {
		t.Errorf("streams come from %s", source)
	}
	for _, text := range []string{"a: {<<: 3}\n", "a: {<<: [b]}\n", "a: {server: {<<: x}}\n"} {
		if _, err := (world{files: map[string]string{DefaultFile: text}}).load(); err == nil || !strings.Contains(err.Error(), "<< must be a mapping, or a list of them") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// The shipped example shows every default as it is, and loads in every profile.
func TestExampleFileLoads(t *testing.T) {
	files := map[string]string{"example.yml": Example}
	env := map[string]string{"PULSE_PASSWORD": "x"}
	for _, profile := range []string{"production", "test"} {
		c := world{args: []string{"--config=example.yml", "--profile", profile}, env: env, files: files}.mustLoad(t)
		if _, err := c.Pulse.BrokerURL(); err != nil {
			t.Errorf("%s: %v", profile, err)
		}
	}
	c := world{args: []string{"--config=example.yml", "--profile", "defaults"}, files: files}.mustLoad(t)
	want := Default()
	if c.Limits != want.Limits || c.Drain != want.Drain || c.Server.Port != want.Server.Port || c.Server.PingPeriod != want.Server.PingPeriod {
		t.Errorf("the example's defaults are not the defaults:\n%+v\n%+v", c, want)
	}
}

// No file makes Load panic, and whatever it refuses it refuses with a place.
func FuzzLoadFile(f *testing.F) {
	for _, seed := range []string{Example, "", "a: &a {pulse: *a}", "? [x]\n: y", "production: {server: {port: !env PORT}}", "- - -", "a: {<<: *b}", "a: &a {<<: *a}", "a: &a [*a]\nb: {<<: *a}", "a: {<<: &a [*a]}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := world{args: []string{"--config=f.yml"}, files: map[string]string{"f.yml": text}}.load()
		if problems, ok := err.(Problems); err != nil && (!ok || len(problems) == 0) {
			t.Fatalf("not a list of problems: %v", err)
		}
	})
}

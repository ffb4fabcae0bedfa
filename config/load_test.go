package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
)

// world is what surrounds a process: arguments, variables, files.
type world struct {
	args  []string
	env   map[string]string
	files map[string]string
}

func (w world) load() (Config, error) {
	readFile := func(name string) ([]byte, error) {
		text, ok := w.files[name]
		if !ok {
			return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
		}
		return []byte(text), nil
	}
	var environ []string
	for name, text := range w.env {
		environ = append(environ, name+"="+text)
	}
	return Load(w.args, environ, readFile)
}

func (w world) mustLoad(t testing.TB) Config {
	t.Helper()
	c, err := w.load()
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c
}

// samples are three different values of each setting; the first stands in the file, the second in
// the environment, the third on the command line.
var samples = map[string][]string{
	"pulse.url":                {"amqp://a:1@x/", "amqp://b:2@y/", "amqps://c:3@z/v"},
	"pulse.username":           {"ada", "bob", "eve"},
	"pulse.password":           {"0123", "null", "p@ss:word"},
	"pulse.hostname":           {"a.example.org", "b.example.org:5673", "c"},
	"pulse.vhost":              {"/", "v", "a/b"},
	"pulse.namespace":          {"n1", "n2", "n3"},
	"server.port":              {"1", "2", "65535"},
	"server.host":              {"127.0.0.1", "::1", "localhost"},
	"server.rootUrl":           {"https://a", "http://b/x", "http://c:1"},
	"server.forceSSL":          {"true", "false", "true"},
	"server.trustProxy":        {"true", "false", "true"},
	"server.tlsCertificate":    {"a.pem", "b.pem", "c.pem"},
	"server.tlsKey":            {"a.key", "b.key", "c.key"},
	"server.operator":          {"127.0.0.1:1", ":2", "[::1]:3"},
	"server.operatorHosts":     {"a.example", "b.example,c.example", "d"},
	"server.operatorToken":     {"0123", "null", "p@ss:word"},
	"server.origins":           {"https://a", "https://b,https://c", "http://d:1"},
	"server.subjectKey":        {"0123", "null", "p@ss:word"},
	"server.exchanges":         {"exchange/a/*", "b", "c,d"},
	"server.shareQueues":       {"true", "false", "true"},
	"server.routedExchanges":   {"exchange/a/*", "b", "c,d"},
	"server.rebalance":         {"false", "true", "false"},
	"server.noticeDrops":       {"true", "false", "true"},
	"server.chaos":             {"true", "false", "true"},
	"server.pprof":             {"true", "false", "true"},
	"server.pingPeriod":        {"1s", "2s", "3ms"},
	"server.debug":             {"events:*", "*", "x"},
	"server.logLevel":          {"debug", "warn", "error"},
	"server.logFormat":         {"json", "text", "json"},
	"auth.keysFile":            {"a.pem", "b.pem", "/etc/c.json"},
	"auth.secretFile":          {"a", "b", "/run/secrets/c"},
	"auth.issuer":              {"a", "https://b", "c"},
	"auth.audience":            {"a", "https://b", "c"},
	"auth.cookie":              {"a", "__Host-b", "c"},
	"auth.queryLife":           {"1s", "2m0s", "0s"},
	"auth.spread":              {"1s", "2m0s", "0s"},
	"limits.streams":           {"1", "2", "0"},
	"limits.streamsPerAddress": {"1", "2", "0"},
	"limits.streamsPerSubject": {"1", "2", "0"},
	"limits.connectsPerSecond": {"0.5", "2", "0"},
	"limits.streamAge":         {"1h0m0s", "24h0m0s", "0s"},
	"limits.bindings":          {"1", "2", "3"},
	"limits.ipv6Prefix":        {"1", "56", "128"},
	"limits.headBytes":         {"2KiB", "4KiB", "1MiB"},
	"limits.messageBytes":      {"1B", "2KiB", "1GiB"},
	"limits.writeDeadline":     {"1s", "2s", "3s"},
	"limits.vanishAfter":       {"1s", "2s", "1m0s"},
	"limits.slowAfter":         {"1s", "2s", "1m0s"},
	"limits.rebindEvery":       {"10s", "2m0s", "1h0m0s"},
	"limits.backlog":           {"1", "2", "3"},
	"limits.backlogBytes":      {"1KiB", "2KiB", "3KiB"},
	"limits.prefetch":          {"1", "2", "65535"},
	"limits.feedPrefetch":      {"1", "2", "65535"},
	"limits.linger":            {"1ms", "3s", "4s"},
	"limits.declares":          {"1", "2", "3"},
	"limits.channelsPerLink":   {"1", "2", "3"},
	"drain.delay":              {"1s", "2s", "3s"},
	"drain.spread":             {"1s", "2s", "3s"},
	"drain.time":               {"4s", "5s", "6s"},
	"drain.hardEnd":            {"20s", "21s", "22s"},
}

func shown(c Config, s Setting) string { return s.plain(&c) }

// Flags win over the environment, the environment over the file's profile, the profile over the
// file's defaults, those over ours: for every setting, whichever of the sources speak.
func TestPrecedenceOfEverySetting(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 0))
		w := world{env: map[string]string{}, files: map[string]string{}}
		sections := map[string]map[string][]string{"defaults": {}, "production": {}}
		want, source := map[string]string{}, map[string]string{}
		for _, s := range Settings {
			group, name, _ := strings.Cut(s.Key, ".")
			speaks := [4]bool{r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0}
			for i, section := range []string{"defaults", "production"} {
				if speaks[i] {
					sections[section][group] = append(sections[section][group], fmt.Sprintf("%s: '%s'", name, samples[s.Key][i]))
					want[s.Key], source[s.Key] = samples[s.Key][i], DefaultFile
				}
			}
			if speaks[2] {
				w.env[s.Variable] = samples[s.Key][1]
				want[s.Key], source[s.Key] = samples[s.Key][1], s.Variable
			}
			if speaks[3] {
				w.args = append(w.args, "--"+s.Flag+"="+samples[s.Key][2])
				want[s.Key], source[s.Key] = samples[s.Key][2], "--"+s.Flag
			}
		}
		w.files[DefaultFile] = render(sections)
		c, err := w.load()
		if err != nil && !strings.Contains(err.Error(), "is missing") && !strings.Contains(err.Error(), "is longer") {
			t.Fatal(err)
		}
		for _, s := range Settings {
			if text, set := want[s.Key]; set && shown(c, s) != text {
				t.Errorf("%s = %q, want %q of %s", s.Key, shown(c, s), text, source[s.Key])
			}
			if !strings.HasPrefix(c.Source(s.Key), source[s.Key]) {
				t.Errorf("%s comes from %q, want %q", s.Key, c.Source(s.Key), source[s.Key])
			}
		}
	}
}

func render(sections map[string]map[string][]string) string {
	var b strings.Builder
	for section, groups := range sections {
		fmt.Fprintf(&b, "%s:\n", section)
		for group, lines := range groups {
			fmt.Fprintf(&b, "  %s:\n    %s\n", group, strings.Join(lines, "\n    "))
		}
	}
	return b.String()
}

// A process that is told nothing has the documented defaults, and no file is needed for that.
func TestDefaults(t *testing.T) {
	c := world{}.mustLoad(t)
	want := Default()
	want.Pulse.Namespace, want.Server.RootURL = "guest", "http://localhost:12345"
	if fmt.Sprint(c.Pulse, c.Server, c.Limits, c.Drain) != fmt.Sprint(want.Pulse, want.Server, want.Limits, want.Drain) {
		t.Errorf("got %+v\nwant %+v", c, want)
	}
	if c.Profile != "production" || c.Server.Port != 12345 || c.Limits.HeadBytes != 32768 || c.File != "" {
		t.Errorf("profile %q, port %d, head %d, file %q", c.Profile, c.Server.Port, c.Limits.HeadBytes, c.File)
	}
}

// All mistakes are shown at once, each with its place.
func TestEveryProblemIsNamedAtOnce(t *testing.T) {
	_, err := world{
		args: []string{"--prefetch", "0", "--drain-time", "soon", "--config", "my.yml"},
		env:  map[string]string{"PORT": "http", "FORCE_SSL": "maybe", "PULSE_URL": "http://h/", "EVENTS_ORIGINS": "a.example.org/x"},
		files: map[string]string{"my.yml": "production:\n  pulse: {usrname: x}\n  server:\n    port: 99999\n" +
			"  limits: {messageBytes: big, bindings: [1, {}]}\n  monitor: {}\ntest:\n  server: {hello: 1}\n" +
			"  streams: 5\n  limits: {port: 80}\n  auht: {queryLife: 1m}\nauth: {queryLife: 1m}\n"},
	}.load()
	for _, want := range []string{
		`my.yml:2: production: pulse.usrname: unknown key; did you mean pulse.username?`,
		`my.yml:4: production: server.port: "99999" is not a whole number from 0 to 65535`,
		`my.yml:5: production: limits.messageBytes: "big" is not a size of 1B or more, such as 32KiB or 64MiB`,
		`my.yml:5: production: limits.bindings: must be a list of values`,
		`my.yml:6: production: monitor: unknown key`,
		`my.yml:8: test: server.hello: unknown key`,
		`my.yml:9: test: streams: unknown key; did you mean limits.streams?`,
		`my.yml:10: test: limits.port: unknown key; did you mean server.port?`,
		`my.yml:11: test: auht: unknown key; did you mean auth?`,
		`my.yml:12: auth: is no profile: settings stand in a section per profile, such as production: {auth: ...}`,
		`PORT: "http" is not a whole number from 0 to 65535`,
		`FORCE_SSL: "maybe" is neither true nor false`,
		`PULSE_URL: the value is not a URL that starts with amqp:// or amqps://`,
		`EVENTS_ORIGINS: "a.example.org/x" is not a list of origins, such as https://tools.example.org`,
		`--prefetch: "0" is not a whole number from 1 to 65535`,
		`--drain-time: "soon" is not a duration of 0s or more, such as 10s or 1m30s`,
	} {
		if err == nil || !strings.Contains(err.Error()+"\n", want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 16 {
		t.Errorf("%d problems, want 12:\n%v", len(problems), err)
	}
}

// An overridden value that does not parse is found all the same.
func TestOverriddenValuesAreChecked(t *testing.T) {
	_, err := world{args: []string{"--port=1"}, env: map[string]string{"PORT": "x"}}.load()
	if err == nil || !strings.HasPrefix(err.Error(), "PORT: ") {
		t.Errorf("got %v", err)
	}
}

// An empty variable counts as none: compose files pass what they do not have.
func TestEmptyVariablesAreNone(t *testing.T) {
	c := world{env: map[string]string{"PORT": "", "PULSE_URL": "", "NODE_ENV": ""}}.mustLoad(t)
	if c.Server.Port != 12345 || c.Profile != "production" {
		t.Errorf("port %d, profile %q", c.Server.Port, c.Profile)
	}
}

func TestCommandLinesThatCannotBeRead(t *testing.T) {
	for _, args := range [][]string{{"--nosuch"}, {"--port"}, {"stray"}, {"-x"}} {
		_, err := world{args: args}.load()
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), strings.TrimLeft(args[0], "-")) {
			t.Errorf("%v: got %v, want a usage error that names it", args, err)
		}
	}
	for _, arg := range []string{"--help", "-h"} {
		if _, err := (world{args: []string{arg}}).load(); !errors.Is(err, ErrHelp) {
			t.Errorf("%s: got %v", arg, err)
		}
	}
}

func TestSizesDurationsAndTruthsAsPeopleWriteThem(t *testing.T) {
	c := world{env: map[string]string{
		"EVENTS_HEAD_BYTES": "65536", "EVENTS_MESSAGE_BYTES": "10 MiB", "EVENTS_SLOW_AFTER": "1m30s",
		"FORCE_SSL": "TRUE", "TRUST_PROXY": "Yes", "TASKCLUSTER_ROOT_URL": "localhost:12345/", "EVENTS_EXCHANGES": " a , b,",
	}}.mustLoad(t)
	got := fmt.Sprintln(c.Limits.HeadBytes, c.Limits.MessageBytes, c.Limits.SlowAfter, c.Server.ForceSSL, c.Server.TrustProxy, c.Server.RootURL, len(c.Server.Exchanges))
	if want := "65536 10485760 1m30s true true http://localhost:12345 2\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The root URL follows the port, but clients are never sent to https at a port that speaks http.
func TestRootURLFollowsThePort(t *testing.T) {
	for args, want := range map[string]string{
		"--port=8080": "http://localhost:8080", "--port=0": "", "--force-ssl": "", "--tls-certificate=c --tls-key=k": "https://localhost:12345", "--root-url=https://x/y/ --port=1": "https://x/y",
	} {
		if c := (world{args: strings.Fields(args)}).mustLoad(t); c.Server.RootURL != want {
			t.Errorf("%s: %q, want %q", args, c.Server.RootURL, want)
		}
	}
}

// Settings of tokens that would leave the service open, or open to the pages of all sites, keep it
// from starting.
func TestSettingsOfTokensThatWouldNotHold(t *testing.T) {
	const off, pages = "has no effect: no tokens are asked for", "a list of origins (server.origins), without * and null, is missing"
	for args, want := range map[string]string{
		"--auth-issuer=i":                                                        off,
		"--auth-audience=a":                                                      off,
		"--auth-cookie=c --origins=https://a":                                    off,
		"--auth-keys-file=k --auth-cookie=c":                                     pages,
		"--auth-secret-file=s --auth-cookie=c --origins=*":                       pages,
		"--auth-keys-file=k --auth-cookie=c --origins=null,https://a":            pages,
		"--auth-keys-file=k --auth-cookie=c;d --origins=https://a":               "is not the name of a cookie",
		"--auth-keys-file=k --auth-query-life=-1s":                               "is not a duration",
		"--auth-keys-file=k --auth-cookie=c --origins=https://a --auth-issuer=i": "",
		"--auth-secret-file=s":                                                   "",
		"":                                                                       "",
	} {
		_, err := world{args: strings.Fields(args)}.load()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// The token that events tail brings along is no setting, and no mistake.
func TestVariablesOfToolsAreKnown(t *testing.T) {
	world{env: map[string]string{"EVENTS_TOKEN": "x"}}.mustLoad(t)
}

// One drain setting given alone pulls the defaults of the others along; given together they must
// fit.
func TestDrainTimesFitEachOther(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{"", "2s 10s 15s"},
		{"--drain-time=1s", "1s 1s 15s"},
		{"--drain-time=1m", "2s 1m0s 1m30s"},
		{"--drain-hard-end=5s", "2s 5s 5s"},
		{"--drain-time=0s", "0s 0s 15s"},
		{"--drain-spread=11s", "--drain-spread: 11s is longer than drain.time, 10s"},
		{"--drain-time=9s --drain-hard-end=8s", "--drain-time: 9s is longer than drain.hardEnd, 8s"},
	} {
		c, err := world{args: strings.Fields(row.args)}.load()
		got := fmt.Sprint(c.Drain.Spread, c.Drain.Time, c.Drain.HardEnd)
		if err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s: got %s, want %s", row.args, got, row.want)
		}
	}
}

func TestCertificateAndKeyAreNeededTogether(t *testing.T) {
	for arg, want := range map[string]string{
		"--tls-key=k":         "--tls-key: EVENTS_TLS_CERTIFICATE (--tls-certificate, server.tlsCertificate) is missing: they are needed together",
		"--tls-certificate=c": "--tls-certificate: EVENTS_TLS_KEY (--tls-key, server.tlsKey) is missing: they are needed together",
	} {
		if _, err := (world{args: []string{arg}}).load(); err == nil || err.Error() != want {
			t.Errorf("%s: got %v", arg, err)
		}
	}
}

func TestDebugPatterns(t *testing.T) {
	for debug, want := range map[string]bool{
		"": false, "events:*": true, "*": true, "other:*": false, "other:* events:*": true,
		"app,events:*": true, "*,-events:*": false, "-other:*,*": true, "events": false,
	} {
		c := world{env: map[string]string{"DEBUG": debug}}.mustLoad(t)
		if (c.Server.Level() == slog.LevelDebug) != want {
			t.Errorf("DEBUG=%q: %v", debug, !want)
		}
	}
}

// The table is the one source: no flag, variable or key stands in it twice, and none is left
// without help.
func TestTableHasNoTwins(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Settings {
		for _, name := range append([]string{s.Key, "--" + s.Flag, s.Variable}, s.Aliases...) {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		if s.Help == "" || !strings.Contains(FlagHelp(0), "--"+s.Flag) || !strings.Contains(FlagHelp(0), s.Variable) {
			t.Errorf("%s has no help", s.Key)
		}
	}
	if len(samples) != len(Settings) {
		t.Errorf("%d settings, %d of them tested", len(Settings), len(samples))
	}
}

// What has changed between two readings of the settings is known by name, secrets included, and a
// part of it can be taken over.
func TestChangedSettings(t *testing.T) {
	before := world{args: []string{"--port=1"}, env: map[string]string{"PULSE_URL": "amqp://a:b@h/"}}.mustLoad(t)
	after := world{args: []string{"--port=2", "--streams=3"}, env: map[string]string{"PULSE_URL": "amqp://a:c@h/"}}.mustLoad(t)
	keys := func(settings []Setting) (keys []string) {
		for _, s := range settings {
			keys = append(keys, s.Key)
		}
		return keys
	}
	changed := before.Changed(after)
	if got, want := fmt.Sprint(keys(changed)), "[pulse.url server.port server.rootUrl limits.streams]"; got != want {
		t.Errorf("changed: %s, want %s", got, want)
	}
	taken := before.With(after, changed[:2])
	if got, want := fmt.Sprint(keys(taken.Changed(after))), "[server.rootUrl limits.streams]"; got != want {
		t.Errorf("left: %s, want %s", got, want)
	}
	if taken.Source("server.port") != "--port" || before.Server.Port != 1 {
		t.Errorf("port of %s, before %d", taken.Source("server.port"), before.Server.Port)
	}
}

package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// What `events config` prints is a settings file that yields the same settings again, given the
// secrets' variables.
func TestPrintedSettingsLoadAgain(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 0))
		secrets := map[string]string{"PULSE_URL": "amqp://ada:x@h/", "PULSE_PASSWORD": "0123"}
		w := world{env: map[string]string{"PULSE_URL": "amqp://ada:x@h/", "PULSE_PASSWORD": "0123"}}
		for _, s := range Settings {
			if !s.Secret && !strings.HasPrefix(s.Key, "server.tls") && !strings.HasPrefix(s.Key, "auth.") && s.Key != "pulse.namespace" && r.IntN(2) == 0 {
				w.args = append(w.args, fmt.Sprintf("--%s=%s", s.Flag, samples[s.Key][r.IntN(len(samples[s.Key]))]))
			}
		}
		if r.IntN(2) == 0 {
			w.args = append(w.args, "--tls-certificate=c.pem", "--tls-key=c.key")
		}
		if r.IntN(2) == 0 {
			w.args = append(w.args, "--auth-keys-file=k", "--auth-issuer=i", "--auth-cookie=c", "--origins=https://a", "--auth-query-life=1s")
		}
		vhosts := []string{"/", "~", "null", "0x1", "a: b # c", "!env X", "é\t", "true"}
		w.args = append(w.args, "--pulse-vhost", vhosts[r.IntN(len(vhosts))])
		c, err := w.load()
		if err != nil {
			t.Fatal(err)
		}
		var printed bytes.Buffer
		if err := c.Print(&printed); err != nil {
			t.Fatal(err)
		}
		again, err := world{env: secrets, files: map[string]string{DefaultFile: printed.String()}}.load()
		if err != nil {
			t.Fatalf("%v\n%s", err, printed.String())
		}
		for _, s := range Settings {
			if shown(c, s) != shown(again, s) {
				t.Errorf("%s: %q, then %q\n%s", s.Key, shown(c, s), shown(again, s), printed.String())
			}
		}
	}
}

// The source of each value is shown.
func TestPrintTellsSources(t *testing.T) {
	c := world{
		args: []string{"--prefetch=7"}, env: map[string]string{"PORT": "8080", "PULSE_PASSWORD": "x", "PULSE_HOSTNAME": "h"},
		files: map[string]string{DefaultFile: "production:\n  pulse:\n    username: ada\n"},
	}.mustLoad(t)
	var out bytes.Buffer
	c.Print(&out)
	for _, want := range []string{
		"production:\n  pulse:\n", "username: ada # user-config.yml:3: production: pulse.username\n",
		"password: !env PULSE_PASSWORD # hidden; PULSE_PASSWORD\n", "port: 8080 # PORT\n", "prefetch: 7 # --prefetch\n", "bindings: 100 # default\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("missing %q in\n%s", want, out.String())
		}
	}
}

// Both tables of the documentation hold every setting.
func TestDocumentationHoldsEverySetting(t *testing.T) {
	var markdown, table bytes.Buffer
	if err := WriteMarkdown(&markdown); err != nil {
		t.Fatal(err)
	}
	if err := WriteJSON(&table); err != nil {
		t.Fatal(err)
	}
	var lines []struct{ Key, Flag, Variable, Default, Help string }
	if err := json.Unmarshal(table.Bytes(), &lines); err != nil || len(lines) != len(Settings) {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, s := range Settings {
		if got := lines[i]; got.Key != s.Key || got.Flag != "--"+s.Flag || got.Variable != s.Variable || got.Help != s.Help {
			t.Errorf("%+v", got)
		}
		if row := fmt.Sprintf("` | `--%s` | `%s`", s.Flag, s.Key); !strings.Contains(markdown.String(), row) {
			t.Errorf("no line %s", row)
		}
	}
}

package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// However settings are printed, the password is not among what appears.
func TestSecretsNeverShow(t *testing.T) {
	const word = "hunter2"
	c := world{env: map[string]string{"PULSE_URL": "amqp://ada:" + word + "@h/", "PULSE_PASSWORD": word}}.mustLoad(t)
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
		fmt.Fprintf(&out, verb, c.Pulse)
		fmt.Fprintf(&out, verb, c.Pulse.Password)
	}
	json.NewEncoder(&out).Encode(c)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "config", c, "secret", c.Pulse.Password)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "config", c, "secret", c.Pulse.Password)
	c.Print(&out)
	out.WriteString(c.Pulse.Broker())
	for _, form := range []string{word, fmt.Sprintf("%x", word), fmt.Sprintf("%X", word)} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q in:\n%s", form, out.String())
		}
	}
	if !strings.Contains(out.String(), hidden) {
		t.Errorf("nothing shows that something is hidden:\n%s", out.String())
	}
}

// A URL that cannot be read may hold the password anywhere.
func TestProblemsHoldNoSecrets(t *testing.T) {
	for _, url := range []string{"amqp://ada:hun%ter2@h/", "ada:hunter2@h", "amqp://ada:hunter2@", "://hunter2", "http://ada:hunter2@h/", "amqp://a:hunter2@h:port/"} {
		_, err := world{args: []string{"--pulse-url", url}, env: map[string]string{"PULSE_URL": url},
			files: map[string]string{DefaultFile: "production: {pulse: {url: '" + url + "'}}"}}.load()
		if err == nil || strings.Contains(err.Error(), "ter2") || strings.Count(err.Error(), "the value is") != 3 {
			t.Errorf("%s: %v", url, err)
		}
	}
}

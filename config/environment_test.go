package config

import (
	"strings"
	"testing"
)

// A limit whose name holds a typing error would not hold, without notice: it is named, with the
// name that was probably meant.
func TestUnknownVariablesAreNamed(t *testing.T) {
	for name, want := range map[string]string{
		"EVENTS_STRAEMS":       "EVENTS_STRAEMS: unknown variable; did you mean EVENTS_STREAMS?",
		"EVENTS_PORT":          "EVENTS_PORT: unknown variable; did you mean PORT?",
		"EVENTS_TRUST_PROXY":   "EVENTS_TRUST_PROXY: unknown variable; did you mean TRUST_PROXY?",
		"PULSE_PASSWROD":       "PULSE_PASSWROD: unknown variable; did you mean PULSE_PASSWORD?",
		"PULSE_HOST":           "PULSE_HOST: unknown variable; did you mean EVENTS_HOST?",
		"PULSE_URL_FIEL":       "PULSE_URL_FIEL: unknown variable; did you mean PULSE_URL_FILE?",
		"EVENTS_SOMETHING_NEW": "EVENTS_SOMETHING_NEW: unknown variable",
	} {
		_, err := world{env: map[string]string{name: "5"}}.load()
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// What other programs set beside this one is not its business: the sound server PulseAudio, a
// container orchestrator that announces a service named like this one, an empty variable.
func TestVariablesOfOthersAreIgnored(t *testing.T) {
	world{env: map[string]string{
		"PULSE_SERVER": "unix:/mnt/wslg/PulseServer", "PULSE_COOKIE": "/c", "PULSE_LATENCY_MSEC": "60", "PULSE_PROP_media.role": "x",
		"EVENTS_SERVICE_HOST": "10.0.0.7", "EVENTS_SERVICE_PORT": "80", "EVENTS_SERVICE_PORT_HTTP": "80", "EVENTS_PORT": "tcp://10.0.0.7:80",
		"EVENTS_PORT_80_TCP": "tcp://10.0.0.7:80", "EVENTS_PORT_80_TCP_PROTO": "tcp", "EVENTS_PORT_80_TCP_ADDR": "10.0.0.7",
		"EVENTS_PROXY_SERVICE_HOST": "10.0.0.7", "EVENTS_PROXY_PORT": "tcp://10.0.0.7:80", "EVENTS_STRAEMS": "", "XEVENTS_Y": "1",
	}}.mustLoad(t)
}

// A secret may come from a file, as container orchestrators provide it, with or without the line
// break that editors put at the end.
func TestSecretsFromFiles(t *testing.T) {
	for content, want := range map[string]string{"hunter2": "hunter2", "hunter2\n": "hunter2", "hunter2\r\n": "hunter2", " a b ": " a b "} {
		c := world{
			env:   map[string]string{"PULSE_USERNAME": "ada", "PULSE_HOSTNAME": "h", "PULSE_PASSWORD_FILE": "/run/secrets/pulse"},
			files: map[string]string{"/run/secrets/pulse": content},
		}.mustLoad(t)
		if c.Pulse.Password.Reveal() != want || c.Source("pulse.password") != "PULSE_PASSWORD_FILE" {
			t.Errorf("%q: %q from %s", content, c.Pulse.Password.Reveal(), c.Source("pulse.password"))
		}
	}
	for _, row := range []struct{ file, also, want string }{
		{"absent", "", "PULSE_URL_FILE: the file cannot be read: open absent: file does not exist"},
		{"empty", "", "PULSE_URL_FILE: empty is empty"},
		{"lines", "", "PULSE_URL_FILE: the value ends in a line break"},
		{"good", "amqp://h", "PULSE_URL_FILE: and PULSE_URL are both set: one of them is enough"},
	} {
		_, err := world{
			env:   map[string]string{"PULSE_URL_FILE": row.file, "PULSE_URL": row.also},
			files: map[string]string{"empty": "\n", "lines": "amqp://h\n\n", "good": "amqp://h"},
		}.load()
		if err == nil || err.Error() != row.want {
			t.Errorf("%s: got %v", row.file, err)
		}
	}
}

// Every secret has such a variable, and help names it.
func TestEverySecretHasAFileVariable(t *testing.T) {
	for _, s := range Settings {
		if s.Secret && !strings.Contains(FlagHelp(0), "["+s.Variable+", "+s.Variable+"_FILE]") {
			t.Errorf("help does not name %s_FILE", s.Variable)
		}
	}
}

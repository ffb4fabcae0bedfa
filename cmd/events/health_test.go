package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/config"
)

// An image without a shell is asked by the program itself: with the settings of the service, and
// the broker's absence is seen.
func TestHealthAsksTheOwnProcess(t *testing.T) {
	for name, row := range map[string]struct {
		env  []string // beside PORT
		args []string
		want int
		says string
	}{
		"well":             {nil, nil, succeeded, `"broker":true`},
		"by address":       {[]string{"EVENTS_HOST=127.0.0.1"}, nil, succeeded, `"broker":true`},
		"on all addresses": {[]string{"EVENTS_HOST=0.0.0.0"}, nil, succeeded, `"broker":true`},
		"redirecting":      {[]string{"FORCE_SSL=true"}, nil, succeeded, `"broker":true`},
		"alive":            {nil, []string{"--live"}, succeeded, "{}"},
		"ready":            {nil, []string{"--ready"}, succeeded, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := start(t, row.env, "demo", "--port=0", "--host=127.0.0.1")
			r := execute(t, append(row.env, "PORT="+portOf(t, in.url)), append([]string{"health"}, row.args...)...)
			if r.status != row.want || !strings.Contains(r.stdout, row.says) {
				t.Errorf("%+v", r)
			}
		})
	}
	in := start(t, []string{"PULSE_URL=" + noBroker, "PORT=0"}, "serve")
	env := []string{"PULSE_URL=" + noBroker, "PORT=" + portOf(t, in.url)}
	if r := execute(t, env, "health"); r.status != failed || !strings.Contains(r.stderr, `503 Service Unavailable {"broker":false`) || r.stdout != "" {
		t.Errorf("without a broker: %+v", r)
	}
	if r := execute(t, env, "health", "--live"); r.status != succeeded {
		t.Errorf("alive, without a broker: %+v", r)
	}
}

// A certificate is for the public name, and it is localhost that is asked.
func TestHealthOverTLS(t *testing.T) {
	certificate, key, _ := selfSigned(t)
	env := []string{"EVENTS_TLS_CERTIFICATE=" + certificate, "EVENTS_TLS_KEY=" + key}
	in := start(t, env, "demo", "--port=0")
	if r := execute(t, append(env, "PORT="+portOf(t, in.url)), "health"); r.status != succeeded {
		t.Errorf("%+v", r)
	}
}

func TestHealthOfNothing(t *testing.T) {
	for _, row := range []struct {
		env  []string
		args []string
		want int
	}{
		{[]string{"PORT=1"}, nil, failed},
		{[]string{"PORT=0"}, nil, misused},
		{[]string{"PORT=x"}, nil, misused},
		{nil, []string{"--lvie"}, misused},
		{nil, []string{"stray"}, misused},
		{nil, []string{"--live", "--ready"}, misused},
		{nil, []string{"--help"}, succeeded},
	} {
		if r := execute(t, row.env, append([]string{"health"}, row.args...)...); r.status != row.want || row.want != succeeded && r.stderr == "" {
			t.Errorf("%v %v: %+v", row.env, row.args, r)
		}
	}
}

func TestOwnURL(t *testing.T) {
	for host, want := range map[string]string{
		"": "http://localhost:80", "0.0.0.0": "http://127.0.0.1:80", "::": "http://[::1]:80", "[::1]": "http://[::1]:80", "10.0.0.1": "http://10.0.0.1:80",
	} {
		if got := ownURL(config.Server{Host: host, Port: 80}); got != want {
			t.Errorf("%q: %s", host, got)
		}
	}
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return u.Port()
}

package options

import (
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/config"
	httpapi "github.com/taskcluster/events-proxy/http"
)

// The defaults that help and documentation show are those of the packages: a Go program that embeds
// the proxy and a process that is given no settings behave alike. The packages must not know
// config, and config knows none of them, so the numbers are written twice and compared here.
func TestDefaultsAreThoseOfThePackages(t *testing.T) {
	c := config.Default()
	system, handler := System(c, nil, nil), Handler(c, "", nil)
	same := func(name string, shown, real any) {
		if !reflect.ValueOf(shown).IsZero() && shown != real { // zero: the package decides
			t.Errorf("%s: the settings show %v, the package takes %v", name, shown, real)
		}
	}
	limits, defaults := reflect.ValueOf(system.Limits), reflect.ValueOf(actors.DefaultLimits())
	for i := range limits.NumField() {
		same(limits.Type().Field(i).Name, limits.Field(i).Interface(), defaults.Field(i).Interface())
	}
	same("PingPeriod", system.PingPeriod, actors.DefaultPingPeriod)
	same("HeadBytes", handler.HeadBytes, httpapi.DefaultHeadBytes)
	same("WriteDeadline", handler.WriteDeadline, httpapi.DefaultWriteDeadline)
	same("VanishAfter", handler.VanishAfter, httpapi.DefaultVanishAfter)
}

var (
	elsewhere = map[string]bool{ // each has a test of its own, from outside
		"server.port": true, "server.host": true, "server.tlsCertificate": true, "server.tlsKey": true, "server.operator": true, "server.debug": true, "server.logLevel": true, "server.logFormat": true, "server.pprof": true,
		"drain.delay": true, "drain.spread": true, "drain.time": true, "drain.hardEnd": true,
		"pulse.url": true, "pulse.username": true, "pulse.password": true, "pulse.hostname": true, "pulse.vhost": true,
	}
	values = map[string]string{ // what is not the default and fits the kind
		"bool": "true", "number": "7", "duration": "7s", "bytes": "7KiB", "list": "https://a.example.org", "url": "https://b.example.org", "text": "x", "file": "x", "secret": "x", "name": "x",
	}
)

// beside returns the flags without which a setting has no effect.
func beside(s config.Setting) []string {
	if strings.HasPrefix(s.Key, "auth.") {
		return []string{"--auth-keys-file=k", "--origins=https://a.example.org"}
	}
	return nil
}

// Every setting of limits and server has an effect: it changes what the actors or the HTTP face are
// given.
func TestEverySettingReachesItsOption(t *testing.T) {
	options := func(args ...string) []any {
		c, err := config.Load(args, nil, func(string) ([]byte, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		face := Handler(c, "http://localhost:1", slog.New(slog.DiscardHandler))
		face.Admit = nil // functions cannot be compared
		return []any{System(c, nil, slog.New(slog.DiscardHandler)), face, Auth(c, nil)}
	}
	for _, s := range config.Settings {
		if elsewhere[s.Key] {
			continue
		}
		value := values[s.Kind()]
		if s.Default() == value {
			value = "false" // of a switch that is on
		}
		if reflect.DeepEqual(options(beside(s)...), options(append(beside(s), "--"+s.Flag+"="+value)...)) {
			t.Errorf("%s changes nothing", s.Key)
		}
	}
}

// Every setting that is said to change on SIGHUP changes what a running proxy has in effect; those
// of log and certificate have tests from outside.
func TestEveryLiveSettingIsTakenByARunningProxy(t *testing.T) {
	broker := amqp.NewMemory()
	defer broker.Close()
	system, err := actors.Open(System(config.Default(), broker, slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	defer system.Close()
	handler := httpapi.New(system, Handler(config.Default(), "http://localhost:1", slog.New(slog.DiscardHandler)))
	policies := func(args ...string) []any {
		c, err := config.Load(args, nil, func(string) ([]byte, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(system.SetPolicy(SystemPolicy(c)), handler.SetPolicy(HandlerPolicy(c))); err != nil {
			t.Fatal(err)
		}
		return []any{system.Policy(), handler.Policy(), Auth(c, nil)}
	}
	for _, s := range config.Settings {
		if !s.Live || elsewhere[s.Key] {
			continue
		}
		if reflect.DeepEqual(policies(beside(s)...), policies(append(beside(s), "--"+s.Flag+"="+values[s.Kind()])...)) {
			t.Errorf("%s stays as it was", s.Key)
		}
	}
}

// A program that takes the settings' options, and forgets the guard, is closed rather than open.
func TestHandlerWithoutItsGuardIsClosed(t *testing.T) {
	for args, closed := range map[string]bool{"": false, "--auth-keys-file=k": true, "--auth-secret-file=s": true} {
		c, err := config.Load(strings.Fields(args), nil, func(string) ([]byte, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		admit := Handler(c, "http://localhost:1", nil).Admit
		if (admit != nil) != closed {
			t.Errorf("%q: closed %v", args, admit != nil)
		}
		if admit != nil {
			if _, err := admit(nil, nil); actors.CodeOf(err) != actors.Unauthorized {
				t.Errorf("%q: %v", args, err)
			}
		}
	}
}

// The broker's own limit, which drops in silence, stays above ours, which reports.
func TestBacklogIsReachedBeforeTheBrokersLimit(t *testing.T) {
	for _, backlog := range []int{1, 100_000, amqp.DefaultMaxLength, 1 << 31} {
		if maxLength(backlog) <= backlog {
			t.Errorf("x-max-length %d for a backlog of %d", maxLength(backlog), backlog)
		}
	}
}

// Where no root URL is set the proxy names the address that it has in fact.
func TestRootURL(t *testing.T) {
	const self = "http://localhost:4711"
	for args, want := range map[string]string{"": self, "--port=0": self, "--root-url=https://x": "https://x", "--force-ssl": "", "--force-ssl --root-url=https://x": "https://x"} {
		c, err := config.Load(strings.Fields(args), nil, func(string) ([]byte, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		if got := rootURL(c, self); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}

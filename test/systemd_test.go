package test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/config"
)

// directives returns what a systemd unit sets; the last line of a name holds.
func directives(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			all[name] = value
		}
	}
	return all
}

// systemd itself takes the unit, as it is and with what its comments offer; and the sandbox leaves
// the service the socket on which it tells systemd that it is ready.
func TestSystemdTakesTheUnit(t *testing.T) {
	unit := contents(t, deploy+"events.service")
	program, err := os.Executable() // systemd wants one that is there
	if err != nil {
		t.Fatal(err)
	}
	tls := regexp.MustCompile(`(?m)^#(\w+=)`).ReplaceAllString(unit, "$1")
	for _, text := range []string{unit, tls} {
		file := filepath.Join(t.TempDir(), "events.service")
		if err := os.WriteFile(file, []byte(strings.Replace(text, "ExecStart=/usr/local/bin/events", "ExecStart="+program, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if out, err := exec.CommandContext(ctx, "systemd-analyze", "verify", "--man=no", file).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%v\n%s", err, out)
		}
		if set := directives(text); set["Type"] != "notify" || !slices.Contains(strings.Fields(set["RestrictAddressFamilies"]), "AF_UNIX") {
			t.Errorf("type %s, with sockets of %s", set["Type"], set["RestrictAddressFamilies"])
		}
	}
	if got := directives(tls)["CapabilityBoundingSet"]; got != "CAP_NET_BIND_SERVICE" {
		t.Errorf("with TLS the service may have %q", got)
	}
	if stop, err := time.ParseDuration(directives(unit)["TimeoutStopSec"] + "s"); err != nil || stop <= config.Default().Drain.HardEnd {
		t.Errorf("killed after %v (%v), before the hard end", stop, err)
	}
}

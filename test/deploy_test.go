package test

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/config"
	"github.com/taskcluster/events-proxy/http/proxytest"
)

const deploy = root + "/config/deploy/"

func contents(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rule is one alert.
type rule struct {
	Alert, Expr string
	Annotations map[string]string
}

func alerts(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []rule }
	}
	if err := yaml.Unmarshal([]byte(contents(t, deploy+"alerts.yml")), &file); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// expressions returns every query of alerts and dashboard.
func expressions(t *testing.T) []string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(contents(t, deploy+"dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			all = append(all, target.Expr)
		}
	}
	for _, rule := range alerts(t) {
		all = append(all, rule.Expr)
	}
	return all
}

// Every alert states what happened and what to do about it.
func TestAlertsExplainThemselves(t *testing.T) {
	rules := alerts(t)
	for _, r := range rules {
		if r.Alert == "" || r.Expr == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("incomplete: %+v", r)
		}
	}
	if len(rules) == 0 {
		t.Error("no alerts")
	}
}

// The rules are valid, and each alert fires when it should and not otherwise: alerts_test.yml plays
// series of metrics to Prometheus's own evaluation. No alert is without such a test.
func TestAlertsFireWhenTheyShould(t *testing.T) {
	for _, args := range [][]string{{"check", "rules", deploy + "alerts.yml"}, {"test", "rules", deploy + "alerts_test.yml"}} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if out, err := exec.CommandContext(ctx, "promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
	tests := contents(t, deploy+"alerts_test.yml")
	for _, r := range alerts(t) {
		if !strings.Contains(tests, r.Alert) {
			t.Errorf("%s has no test", r.Alert)
		}
	}
}

// Alerts and dashboard ask for metrics that the proxy has: a renamed metric
// would make an alert silent for ever.
func TestDashboardAndAlertsAskForMetricsThatExist(t *testing.T) {
	exist := scrape(t)
	functions := []string{"rate", "increase", "sum", "by", "on", "or", "and", "histogram_quantile", "ignoring", "address", "code", "told", "le", "count", "instance", "version", "commit"}
	for _, expression := range expressions(t) {
		bare := regexp.MustCompile(`\{[^}]*\}|\[[^\]]*\]`).ReplaceAllString(expression, "")
		for _, word := range regexp.MustCompile(`[a-z_]+[a-z]`).FindAllString(bare, -1) {
			if !exist[word] && !slices.Contains(functions, word) {
				t.Errorf("%s: there is no %s", expression, word)
			}
		}
	}
}

// scrape returns the names of a proxy's metrics. Those with labels appear once
// something has happened: a stream that ended, one that was refused.
func scrape(t *testing.T) map[string]bool {
	t.Helper()
	broker := amqp.NewMemory()
	p, err := proxytest.Start(proxytest.Options{Actors: actors.Options{Dialer: broker, Limits: actors.Limits{Streams: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	stuck := connect(t, p, `{"bindings":[{"exchange":"amq.topic","routingKeyPattern":"#"}]}`)
	connect(t, p, `{"bindings":[{"exchange":"amq.topic","routingKeyPattern":"#"}]}`).Close() // AtCapacity
	if err := p.Drain(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, stuck)
	stuck.Close()

	page := httptest.NewRecorder()
	p.Handler.Operator().ServeHTTP(page, httptest.NewRequest("GET", "http://127.0.0.1/metrics", nil))
	names := map[string]bool{"events_http_cut_streams_total": true} // has labels, and needs a client that does not read for ten seconds
	for line := range strings.Lines(page.Body.String()) {
		if name := regexp.MustCompile(`^[a-z_]+`).FindString(line); name != "" {
			names[name] = true
		}
	}
	return names
}

func connect(t *testing.T, p *proxytest.Proxy, bindings string) io.ReadCloser {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", p.URL+"/v1/connect", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.URL.RawQuery = "bindings=" + strings.NewReplacer("{", "%7B", "}", "%7D", `"`, "%22", "#", "%23").Replace(bindings)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response.Body
}

// The files around the binary name settings that exist.
func TestDeployedSettingsExist(t *testing.T) {
	known := append([]string{"NODE_ENV"}, config.ToolVariables...)
	for _, s := range config.Settings {
		known = append(known, s.Variable)
		if s.Secret {
			known = append(known, s.Variable+"_FILE")
		}
	}
	variable := regexp.MustCompile(`\b(EVENTS|PULSE)_[A-Z_]+\b|\bTASKCLUSTER_[A-Z_]+\b|\b(TRUST_PROXY|FORCE_SSL|NODE_ENV)\b`)
	var files []string
	err := filepath.WalkDir(deploy, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, root+"/README.md", root+"/CHANGELOG.md", root+"/config/user-config-example.yml") {
		for _, name := range variable.FindAllString(contents(t, file), -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s: there is no setting %s", file, name)
			}
		}
	}
}

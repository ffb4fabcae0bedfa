package test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/child"
	"github.com/taskcluster/events-proxy/cmd/options"
	"github.com/taskcluster/events-proxy/config"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/proxytest"
)

// service is one container of the compose file.
type service struct {
	Build       struct{ Context, Dockerfile string }
	Environment map[string]string
	Grace       string `yaml:"stop_grace_period"`
	Ports       []string
	Volumes     []string
	Health      struct{ Test []string } `yaml:"healthcheck"`
}

func composed(t *testing.T) map[string]service {
	t.Helper()
	var file struct{ Services map[string]service }
	unmarshal(t, "compose.yml", &file)
	return file.Services
}

func unmarshal(t *testing.T, name string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(contents(t, deploy+name)), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// settings are those of the container.
func (s service) settings(t *testing.T) config.Config {
	t.Helper()
	var environ []string
	for name, text := range s.Environment {
		environ = append(environ, name+"="+text)
	}
	c, err := config.Load(nil, environ, func(string) ([]byte, error) { return nil, os.ErrNotExist })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mounts are the host's files by their place in the container.
func (s service) mounts(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, volume := range s.Volumes {
		host, place, _ := strings.Cut(strings.TrimSuffix(volume, ":ro"), ":")
		if _, err := os.Stat(deploy + host); err != nil {
			t.Error(err)
		}
		all[place] = filepath.Clean(host)
	}
	return all
}

// The container of the proxy is built from what is there, gets only variables that are settings, is
// asked how it is by a command that its image has, and is not killed while it drains.
func TestComposeRunsTheProxy(t *testing.T) {
	events := composed(t)["events"]
	if _, err := os.Stat(filepath.Join(deploy, events.Build.Context, events.Build.Dockerfile)); err != nil {
		t.Error(err)
	}
	c := events.settings(t)
	if _, err := c.Pulse.BrokerURL(); err != nil {
		t.Error(err)
	}
	if grace, err := time.ParseDuration(events.Grace); err != nil || grace <= c.Drain.HardEnd {
		t.Errorf("killed after %s, before the hard end at %s: %v", events.Grace, c.Drain.HardEnd, err)
	}
	if got, want := events.Health.Test, []string{"CMD", "/events", "health"}; !slices.Equal(got, want) {
		t.Errorf("asked by %v, not %v", got, want)
	}
	_, port, _ := net.SplitHostPort(c.Server.Operator)
	for _, want := range []string{fmt.Sprintf("%d:%[1]d", c.Server.Port), fmt.Sprintf("127.0.0.1:%s:%[1]s", port)} {
		if !slices.Contains(events.Ports, want) {
			t.Errorf("%s is not among the ports %v", want, events.Ports)
		}
	}
}

// target is where the shipped file sends Prometheus.
func target(t *testing.T) string {
	t.Helper()
	var file struct {
		Scrapes []struct {
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	unmarshal(t, "prometheus.yml", &file)
	return file.Scrapes[0].Static[0].Targets[0]
}

// Prometheus asks the proxy by the name that it has among the containers, at the port that it
// listens on, and is let in.
func TestComposeLetsPrometheusIn(t *testing.T) {
	c := composed(t)["events"].settings(t)
	host, port, _ := net.SplitHostPort(target(t))
	listens, operator, _ := net.SplitHostPort(c.Server.Operator)
	if host != "events" || port != operator || listens != "0.0.0.0" {
		t.Errorf("asked at %s, and it listens at %s", target(t), c.Server.Operator)
	}
	broker := amqp.NewMemory()
	defer broker.Close()
	system, err := actors.Open(options.System(c, broker, slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	defer system.Close()
	answer := httptest.NewRecorder()
	httpapi.New(system, options.Handler(c, "", slog.New(slog.DiscardHandler))).Operator().
		ServeHTTP(answer, httptest.NewRequest("GET", "http://"+target(t)+"/metrics", nil))
	if answer.Code != http.StatusOK {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

// Grafana finds Prometheus and the dashboard where the containers have them.
func TestComposeShowsTheDashboard(t *testing.T) {
	services := composed(t)
	var sources struct {
		Datasources []struct {
			Type, URL string
			Default   bool `yaml:"isDefault"`
		}
	}
	unmarshal(t, "grafana/datasources.yml", &sources)
	source := sources.Datasources[0]
	at, err := url.Parse(source.URL)
	if err != nil {
		t.Fatal(err)
	}
	if ports := services[at.Hostname()].Ports; source.Type != "prometheus" || !source.Default || !slices.Contains(ports, fmt.Sprintf("127.0.0.1:%s:%[1]s", at.Port())) {
		t.Errorf("the source is %+v, the container has %v", source, ports)
	}
	var boards struct {
		Providers []struct {
			Type    string
			Options struct{ Path string }
		}
	}
	unmarshal(t, "grafana/dashboards.yml", &boards)
	grafana := services["grafana"]
	home, mounts := grafana.Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"], grafana.mounts(t)
	if filepath.Dir(home) != boards.Providers[0].Options.Path || mounts[home] != "dashboard.json" {
		t.Errorf("dashboards in %+v, the first page is %s, mounted are %v", boards, home, mounts)
	}
	for _, kind := range []string{"datasources", "dashboards"} {
		if place := "/etc/grafana/provisioning/" + kind + "/events.yml"; mounts[place] != "grafana/"+kind+".yml" {
			t.Errorf("%s is %q", place, mounts[place])
		}
	}
	if mounts := services["prometheus"].mounts(t); mounts["/etc/prometheus/prometheus.yml"] != "prometheus.yml" || mounts["/etc/prometheus/alerts.yml"] != "alerts.yml" {
		t.Errorf("Prometheus has %v", mounts)
	}
}

// Prometheus itself, with the shipped file, scrapes a proxy and has the alerts.
func TestPrometheusScrapesWithTheShippedFile(t *testing.T) {
	broker := amqp.NewMemory()
	defer broker.Close()
	p, err := proxytest.Start(proxytest.Options{Actors: actors.Options{Dialer: broker}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	operator := httptest.NewServer(p.Handler.Operator())
	defer operator.Close()
	url := startPrometheus(t, strings.NewReplacer(target(t), operator.Listener.Addr().String(), "10s", "1s").Replace(contents(t, deploy+"prometheus.yml")))

	var up struct {
		Data struct{ Result []struct{ Value []any } }
	}
	untilAnswered(t, url+`/api/v1/query?query=events_build_info+and+on(instance)+up{job="events"}==1`, &up, func() bool { return len(up.Data.Result) == 1 })
	var rules struct {
		Data struct {
			Groups []struct{ Rules []struct{ Health string } }
		}
	}
	untilAnswered(t, url+"/api/v1/rules", &rules, func() bool {
		return len(rules.Data.Groups) == 1 && len(rules.Data.Groups[0].Rules) == len(alerts(t)) &&
			!slices.ContainsFunc(rules.Data.Groups[0].Rules, func(r struct{ Health string }) bool { return r.Health != "ok" })
	})
}

// startPrometheus returns the URL of one that runs with a configuration beside the alerts.
func startPrometheus(t *testing.T, configuration string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"prometheus.yml": configuration, "alerts.yml": contents(t, deploy+"alerts.yml")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port that was free a moment ago
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	process, err := child.Start(child.Command{Stderr: filepath.Join(dir, "log"), Line: []string{
		"/usr/bin/prometheus", "--config.file=" + filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path=" + filepath.Join(dir, "data"), "--web.listen-address=" + l.Addr().String(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		process.Kill()
		if t.Failed() {
			t.Log(contents(t, filepath.Join(dir, "log")))
		}
	})
	return "http://" + l.Addr().String()
}

// untilAnswered asks for JSON until it holds.
func untilAnswered(t *testing.T, url string, into any, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, "GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			err = json.NewDecoder(answer.Body).Decode(into)
			answer.Body.Close()
			if err == nil && holds() {
				return
			}
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			t.Fatalf("%s: never; the last answer was %+v", url, into)
		}
	}
}

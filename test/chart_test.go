package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/cmd/options"
	"github.com/taskcluster/events-proxy/config"
	httpapi "github.com/taskcluster/events-proxy/http"
)

// object is what these tests look at in what the chart makes.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Spec     struct {
		Selector json.RawMessage
		Ports    []struct {
			Port       int
			TargetPort string
		}
		Rules []struct {
			HTTP struct {
				Paths []struct {
					Backend struct {
						Service struct {
							Name string
							Port struct{ Number int }
						}
					}
				}
			}
		}
		Template struct {
			Metadata struct{ Labels, Annotations map[string]string }
			Spec     struct {
				Grace      int `json:"terminationGracePeriodSeconds"`
				Containers []container
				Volumes    []struct {
					Name   string
					Secret struct{ SecretName string }
				}
			}
		}
	}
}

type container struct {
	Args  []string
	Env   []variable
	Ports []struct {
		Name          string
		ContainerPort int
	}
	ReadinessProbe, LivenessProbe struct {
		HTTPGet struct{ Path, Port, Scheme string }
	}
	VolumeMounts []struct{ Name, MountPath string }
}

type variable struct {
	Name, Value string
	ValueFrom   struct {
		SecretKeyRef struct{ Name, Key string }
	}
}

// renderer is the program that renders charts, a module of its own, built once.
var renderer = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "events-chart-")
	if err != nil {
		return "", err
	}
	built = dir
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "chart"), ".")
	build.Dir, build.Env = "chart", append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return filepath.Join(dir, "chart"), nil
})

var built string // its folder

func TestMain(m *testing.M) {
	status := m.Run()
	os.RemoveAll(built)
	os.Exit(status)
}

// render returns the chart's objects by kind, or what Helm or Kubernetes' types find wrong.
func render(t *testing.T, values string) (map[string]object, error) {
	t.Helper()
	program, err := renderer()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), program, deploy+"chart", file)
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, stderr.String())
	}
	var all []object
	if err := json.Unmarshal(stdout.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	byKind := map[string]object{}
	for _, o := range all {
		byKind[o.Kind] = o
	}
	return byKind, nil
}

// rendered are the objects of values that are right.
func rendered(t *testing.T, values string) map[string]object {
	t.Helper()
	all, err := render(t, values)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const (
	leastValues = "broker: {secret: broker}\n"
	allValues   = otherValues + `
settings: {EVENTS_STREAMS: 5000000, EVENTS_SHARE_QUEUES: true, EVENTS_ORIGINS: [https://a.example.org, https://b.example.org], EVENTS_PING_PERIOD: 10s, EVENTS_CONNECTS_PER_SECOND: 0.5}
secretSettings: {EVENTS_SUBJECT_KEY: {secret: subjects, key: key}}
`
	otherValues = leastValues + `
rootUrl: https://events.example.org
image: {repository: registry.example.org/events, tag: "1", pullSecrets: [pull]}
drain: {delay: 20, hardEnd: 60}
tls: {secret: own-tls}
access: {secret: tokens, secretFile: secrets}
operator: {token: {secret: operators}}
service: {port: 443, annotations: {a: b}}
ingress: {enabled: true, className: nginx, host: events.example.org, tlsSecret: ingress-tls, annotations: {a: b}}
podAnnotations: {a: b}
nodeSelector: {a: b}
tolerations: [{key: a, operator: Exists}]
affinity: {nodeAffinity: {}}
`
)

// environment is the container's, with texts in the place of secrets.
func (c container) environment() []string {
	secrets := map[string]string{"broker": "amqps://user:password@broker.example.org/vhost", "operators": "token", "subjects": "key"}
	var all []string
	for _, v := range c.Env {
		if secret, ok := secrets[v.ValueFrom.SecretKeyRef.Name]; ok {
			v.Value = secret
		}
		all = append(all, v.Name+"="+v.Value)
	}
	return all
}

// settings are the container's, and it takes them.
func (c container) settings(t *testing.T) config.Config {
	t.Helper()
	s, err := config.Load(c.Args[1:], c.environment(), func(string) ([]byte, error) { return nil, os.ErrNotExist })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What the chart makes are objects that Kubernetes knows, of a proxy that starts with the settings
// it gets: it listens where the probes and Prometheus ask, it answers them, and it has the time to
// drain.
func TestChartRunsTheProxy(t *testing.T) {
	for _, values := range []string{leastValues, allValues} {
		pods := rendered(t, values)["Deployment"].Spec.Template
		events := pods.Spec.Containers[0]
		c := events.settings(t)
		if _, err := options.Broker(c); err != nil || events.Args[0] != "serve" {
			t.Errorf("%v: %v", events.Args, err)
		}
		ports := map[string]string{}
		for _, p := range events.Ports {
			ports[p.Name] = fmt.Sprint(":", p.ContainerPort)
		}
		if want := map[string]string{"public": fmt.Sprint(":", c.Server.Port), "operator": c.Server.Operator}; !maps.Equal(ports, want) {
			t.Errorf("the ports are %v, and it listens at %v", ports, want)
		}
		if scraped, ok := pods.Metadata.Annotations["prometheus.io/port"]; ok && ":"+scraped != ports["operator"] {
			t.Errorf("Prometheus asks at %s", scraped)
		}
		if grace := time.Duration(pods.Spec.Grace) * time.Second; grace <= c.Drain.Delay+c.Drain.HardEnd {
			t.Errorf("killed after %v, and the drain may take %v and %v", grace, c.Drain.Delay, c.Drain.HardEnd)
		}
		handler := handlerOf(t, c)
		for path, probe := range map[string]struct{ Path, Port, Scheme string }{
			"/__ready__": events.ReadinessProbe.HTTPGet, "/__lbheartbeat__": events.LivenessProbe.HTTPGet,
		} {
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, httptest.NewRequest("GET", "http://10.0.0.1:12345"+probe.Path, nil))
			if answer.Code != http.StatusOK || probe.Path != path || probe.Port != "public" || probe.Scheme != strings.ToUpper(c.Server.Scheme()) {
				t.Errorf("%+v: %d", probe, answer.Code)
			}
		}
	}
}

func handlerOf(t *testing.T, c config.Config) http.Handler {
	t.Helper()
	broker := amqp.NewMemory()
	system, err := actors.Open(options.System(c, broker, slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { system.Close(); broker.Close() })
	return httpapi.New(system, options.Handler(c, "", slog.New(slog.DiscardHandler)))
}

// Every value has the effect that its name promises: numbers stay numbers, lists are lists, secrets
// are named and never held.
func TestChartsValuesArrive(t *testing.T) {
	all := rendered(t, allValues)
	pods := all["Deployment"].Spec.Template
	events := pods.Spec.Containers[0]
	c := events.settings(t)
	for name, ok := range map[string]bool{
		"streams":        c.Limits.Streams == 5_000_000,
		"shared":         c.Server.ShareQueues,
		"origins":        slices.Equal(c.Server.Origins, []string{"https://a.example.org", "https://b.example.org"}),
		"pings":          c.Server.PingPeriod == 10*time.Second,
		"connects":       c.Limits.ConnectsPerSecond == 0.5,
		"root URL":       c.Server.RootURL == "https://events.example.org",
		"ingress":        c.Server.TrustProxy && c.Server.ForceSSL,
		"secret":         slices.Contains(events.environment(), "EVENTS_SUBJECT_KEY=key"),
		"token":          c.Server.OperatorToken.Reveal() == "token",
		"no scraping":    pods.Metadata.Annotations["prometheus.io/scrape"] == "", // it would need the token
		"annotation":     pods.Metadata.Annotations["a"] == "b",
		"tokens' secret": pods.Spec.Volumes[1].Secret.SecretName == "tokens",
		"tokens' files":  c.Auth.KeysFile == events.VolumeMounts[1].MountPath+"/keys.pem" && c.Auth.SecretFile == events.VolumeMounts[1].MountPath+"/secrets",
		"TLS's secret":   pods.Spec.Volumes[0].Secret.SecretName == "own-tls",
		"TLS's files":    c.Server.TLSCertificate == events.VolumeMounts[0].MountPath+"/tls.crt" && c.Server.TLSKey == events.VolumeMounts[0].MountPath+"/tls.key",
		"delay":          c.Drain.Delay == 20*time.Second && c.Drain.HardEnd == time.Minute,
	} {
		if !ok {
			t.Errorf("%s: %v", name, events.environment())
		}
	}
}

// A client's way leads to the pods: ingress to service, service to the container's port.
func TestChartsObjectsFindEachOther(t *testing.T) {
	all := rendered(t, allValues)
	ingress, service, pods := all["Ingress"], all["Service"], all["Deployment"].Spec.Template
	backend := ingress.Spec.Rules[0].HTTP.Paths[0].Backend.Service
	if backend.Name != service.Metadata.Name || backend.Port.Number != service.Spec.Ports[0].Port {
		t.Errorf("from %+v to %+v", backend, service)
	}
	if service.Spec.Ports[0].TargetPort != pods.Spec.Containers[0].Ports[0].Name {
		t.Errorf("to the port %s of %+v", service.Spec.Ports[0].TargetPort, pods.Spec.Containers[0].Ports)
	}
	var byService map[string]string
	var byDeployment, byBudget struct{ MatchLabels map[string]string }
	for text, into := range map[string]any{
		string(service.Spec.Selector): &byService, string(all["Deployment"].Spec.Selector): &byDeployment,
		string(all["PodDisruptionBudget"].Spec.Selector) + " ": &byBudget,
	} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	for _, selector := range []map[string]string{byService, byDeployment.MatchLabels, byBudget.MatchLabels} {
		if len(selector) != 2 {
			t.Errorf("selects by %v", selector)
		}
		for name, value := range selector {
			if pods.Metadata.Labels[name] != value {
				t.Errorf("%s=%s selects no pod with %v", name, value, pods.Metadata.Labels)
			}
		}
	}
}

// A wrong value is refused before anything is changed, and named.
func TestChartRefusesWrongValues(t *testing.T) {
	for values, want := range map[string]string{
		"": "secret",
		leastValues + "settings: {EVENTS_STRAEMS: 5}":                "EVENTS_STRAEMS",
		leastValues + "settings: {PORT: 80}":                         "PORT",
		leastValues + "settings: {EVENTS_SUBJECT_KEY: in the clear}": "EVENTS_SUBJECT_KEY",
		leastValues + "replica: 3":                                   "replica",
		leastValues + "drain: {delay: 5s}":                           "delay",
		leastValues + "ingress: {enabled: true}":                     "host",
		leastValues + "rootUrl: events.example.org":                  "rootUrl",
	} {
		if _, err := render(t, values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", values, err)
		}
	}
}

// The chart takes every setting that it does not make itself from other values, and secrets from
// secrets alone: a new setting belongs into values.schema.json.
func TestChartKnowsEverySetting(t *testing.T) {
	type names struct{ PropertyNames struct{ Enum []string } }
	var schema struct {
		Properties struct{ Settings, SecretSettings names }
	}
	if err := json.Unmarshal([]byte(contents(t, deploy+"chart/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	own := []string{"PULSE_USERNAME", "PULSE_PASSWORD", "PULSE_HOSTNAME", "PULSE_VHOST", "EVENTS_HOST"} // of the URL; and all addresses
	for _, v := range rendered(t, otherValues)["Deployment"].Spec.Template.Spec.Containers[0].Env {
		if v.Name != "TRUST_PROXY" && v.Name != "FORCE_SSL" { // which a load balancer without an ingress needs
			own = append(own, v.Name)
		}
	}
	lists := map[bool][]string{false: schema.Properties.Settings.PropertyNames.Enum, true: schema.Properties.SecretSettings.PropertyNames.Enum}
	for _, s := range config.Settings {
		for secret, list := range lists {
			if want := s.Secret == secret && !slices.Contains(own, s.Variable); want != slices.Contains(list, s.Variable) {
				t.Errorf("%s is in values.schema.json: %t, not %t (for secrets: %t)", s.Variable, !want, want, secret)
			}
			lists[secret] = slices.DeleteFunc(list, func(name string) bool { return name == s.Variable })
		}
	}
	for _, list := range lists {
		if len(list) > 0 {
			t.Errorf("values.schema.json has %v, which are no settings", list)
		}
	}
}

// Command chart renders a Helm chart as Helm does, checks each object strictly against Kubernetes'
// own types, and prints all as a JSON list. It is a module of its own, so that neither Helm nor
// Kubernetes is a requirement of the proxy.
//
//	go run . CHART VALUES
//
// VALUES is a file. The exit status is 1, and the cause is on standard error, where a value is not
// what the chart's schema says, or an object has a field that its kind does not.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// kinds are the objects that the chart may have.
var kinds = map[string]func() any{
	"apps/v1 Deployment":            func() any { return new(apps.Deployment) },
	"v1 Service":                    func() any { return new(core.Service) },
	"networking.k8s.io/v1 Ingress":  func() any { return new(networking.Ingress) },
	"policy/v1 PodDisruptionBudget": func() any { return new(policy.PodDisruptionBudget) },
}

func main() {
	objects, err := render(os.Args[1], os.Args[2])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(objects)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// render returns the chart's objects.
func render(chart, values string) ([]any, error) {
	loaded, err := loader.Load(chart)
	if err != nil {
		return nil, err
	}
	if err := loaded.Validate(); err != nil {
		return nil, err
	}
	given, err := chartutil.ReadValuesFile(values)
	if err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{Name: "events", Namespace: "default", IsInstall: true}
	all, err := chartutil.ToRenderValues(loaded, given, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(loaded, all)
	if err != nil {
		return nil, err
	}
	var objects []any
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if path.Ext(name) != ".yaml" || strings.TrimSpace(files[name]) == "" {
			continue
		}
		object, err := strict(files[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", name, err, files[name])
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// strict returns an object of the type that it says it has. A field that the type does not have,
// or one that is there twice, is an error.
func strict(text string) (any, error) {
	var head struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal([]byte(text), &head); err != nil {
		return nil, err
	}
	kind, known := kinds[head.APIVersion+" "+head.Kind]
	if !known {
		return nil, fmt.Errorf("an object of the kind %s %s is not expected", head.APIVersion, head.Kind)
	}
	object := kind()
	return object, yaml.UnmarshalStrict([]byte(text), object)
}

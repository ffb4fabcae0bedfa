package httpapi

import "runtime/debug"

// Version is what /__version__ answers, in Dockerflow's form.
type Version struct {
	Source  string `json:"source"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Build   string `json:"build"`
}

// buildFacts returns what the binary knows of itself.
func buildFacts() Version {
	v := Version{Source: "https://github.com/taskcluster/events-proxy", Version: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Build = info.GoVersion
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			v.Commit = setting.Value
		}
	}
	return v
}

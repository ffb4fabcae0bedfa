package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version prints what the binary was built from, on one line.
func (p process) version(_ context.Context, args []string) int {
	if status, ok := p.alone("version", args, 0); !ok {
		return status
	}
	fmt.Fprintln(p.stdout, "events", buildLine())
	return succeeded
}

// buildLine returns version, commit, Go version and platform: v1.2.3 (commit 0123abc…, modified)
// go1.26.8 linux/amd64
func buildLine() string {
	version, commit := "(devel)", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		facts := map[string]string{}
		for _, s := range info.Settings {
			facts[s.Key] = s.Value
		}
		if facts["vcs.revision"] != "" {
			commit = facts["vcs.revision"]
		}
		if facts["vcs.modified"] == "true" {
			commit += ", modified"
		}
	}
	return fmt.Sprintf("%s (commit %s) %s %s/%s", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

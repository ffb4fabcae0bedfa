package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/taskcluster/events-proxy/test/chaos"
)

// environment is what a report says of the place where a run was made.
func environment() map[string]string {
	facts := map[string]string{
		"events-chaos": buildOf(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
		"processors": fmt.Sprint(runtime.NumCPU()), "kernel": kernel(),
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		facts["load at the start"] = strings.Join(strings.Fields(string(load))[:3], " ")
	}
	return facts
}

// ofProgram adds what is known of the proxy's binary.
func ofProgram(ctx context.Context, facts map[string]string, binary string) {
	facts["proxy"] = chaos.VersionOf(ctx, binary)
	digest, err := chaos.DigestOf(binary)
	if err != nil {
		digest = err.Error()
	}
	facts["proxy's SHA-256"] = digest
}

func buildOf() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" && s.Value == "true" {
			text += " " + strings.TrimPrefix(s.Key, "vcs.") + " " + s.Value
		}
	}
	return text
}

func kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:]) + " " + unix.ByteSliceToString(name.Version[:])
}

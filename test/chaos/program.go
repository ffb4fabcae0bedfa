package chaos

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const program = "github.com/taskcluster/events-proxy/cmd/events"

// ErrNoProgram is returned where there is no proxy to start.
var ErrNoProgram = errors.New("no events proxy is here: name its binary (--program), install it (go install " +
	program + "@latest), or run this inside its repository, where it is built")

// Program returns the proxy's binary: the one that is named; inside the module one
// that is built into folder; elsewhere the installed one.
func Program(ctx context.Context, folder, named string) (binary string, err error) {
	if named != "" {
		if binary, err = exec.LookPath(named); err != nil {
			return "", fmt.Errorf("--program: %w", err)
		}
		return filepath.Abs(binary) // it is started in another directory
	}
	if insideModule(ctx) {
		return Build(ctx, folder)
	}
	if binary, err = exec.LookPath("events"); err != nil {
		return "", ErrNoProgram
	}
	return binary, nil
}

// insideModule reports whether the working directory belongs to our module.
func insideModule(ctx context.Context) bool {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Main}}", strings.TrimSuffix(program, "/cmd/events")).Output()
	return err == nil && strings.TrimSpace(string(out)) == "true"
}

// Build makes the proxy's binary in a folder, from the module that the working
// directory is in.
func Build(ctx context.Context, folder string) (binary string, err error) {
	binary = folder + "/events"
	command := exec.CommandContext(ctx, "go", "build", "-o", binary, program)
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the proxy: %w\n%s", err, out)
	}
	return binary, nil
}

// VersionOf returns what a binary says of itself: version, commit, Go and platform.
func VersionOf(ctx context.Context, binary string) string {
	out, err := exec.CommandContext(ctx, binary, "version").Output()
	if err != nil {
		return "unknown: " + err.Error()
	}
	return strings.TrimSpace(string(out))
}

// DigestOf returns the SHA-256 of a file, in hex.
func DigestOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

package inspector

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/test/browser"
)

var (
	chromium context.Context // the browser; every test opens tabs of its own
	axe      string          // the source of axe-core
)

const artifacts = "../../artifacts/inspector"

func TestMain(m *testing.M) {
	status, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func run(m *testing.M) (status int, err error) {
	if axe, err = readAxe(); err != nil {
		return 0, err
	}
	profile, err := os.MkdirTemp("", "inspector-chromium-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(profile)
	var stop func()
	if chromium, stop, err = browser.Start(context.Background(), profile); err != nil {
		return 0, err
	}
	status = m.Run()
	stop()
	return status, goleak.Find()
}

// readAxe reads the accessibility checker; npm brings it as package-lock.json
// has it where make has not.
func readAxe() (string, error) {
	const path = "node_modules/axe-core/axe.min.js"
	if source, err := os.ReadFile(path); err == nil {
		return string(source), nil
	}
	if out, err := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund").CombinedOutput(); err != nil {
		return "", fmt.Errorf("axe-core is missing, and npm ci failed: %w\n%s", err, out)
	}
	source, err := os.ReadFile(path)
	return string(source), err
}

// keep leaves a picture, or another artefact, for people to look at.
func keep(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(artifacts, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(artifacts, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

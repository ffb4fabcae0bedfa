package operator

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/test/browser"
)

var (
	chromium context.Context // the browser; every test opens a tab of its own
	axe      string          // the source of axe-core
)

func TestMain(m *testing.M) {
	status, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func run(m *testing.M) (status int, err error) {
	if axe, err = readAxe("../inspector"); err != nil {
		return 0, err
	}
	profile, err := os.MkdirTemp("", "operator-chromium-")
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

// readAxe reads the accessibility checker that the inspector's tests pin; npm
// brings it where make has not.
func readAxe(project string) (string, error) {
	path := project + "/node_modules/axe-core/axe.min.js"
	if _, err := os.Stat(path); err != nil {
		npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		npm.Dir = project
		if out, err := npm.CombinedOutput(); err != nil {
			return "", fmt.Errorf("axe-core is missing, and npm ci failed: %w\n%s", err, out)
		}
	}
	source, err := os.ReadFile(path)
	return string(source), err
}

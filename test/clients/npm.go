package clients

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// NodeModules returns the folder with the Node clients, as package-lock.json has
// them. Where they are missing, npm installs them; otherwise no network is
// needed. Test binaries that call it at the same time take turns.
func NodeModules(ctx context.Context) (string, error) {
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Dir(file)
	unlock, err := lock(filepath.Join(os.TempDir(), "events-proxy-test-clients.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	modules := filepath.Join(dir, "node_modules")
	if !newer(filepath.Join(dir, "package-lock.json"), filepath.Join(modules, ".package-lock.json")) {
		return modules, nil // npm writes that file last
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the Node clients are missing, and npm ci in %s failed: %w\n%s", dir, err, out)
	}
	return modules, nil
}

// newer reports whether a file has been written after another one, which may not be there.
func newer(file, than string) bool {
	written, err := os.Stat(file)
	before, missing := os.Stat(than)
	return err != nil || missing != nil || written.ModTime().After(before.ModTime())
}

func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil // closing releases it
}

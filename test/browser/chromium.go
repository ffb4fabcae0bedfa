// Package browser drives a real Chromium: its own EventSource is the client that
// the product is made for, and nothing imitates it well.
package browser

import (
	"context"
	"fmt"
	"os/exec"

	"github.com/chromedp/chromedp"
)

// Start starts Chromium with a profile of its own below dir, which must be
// empty. Tabs are made by chromedp.NewContext from the context that it returns;
// stop ends it with all of them.
func Start(ctx context.Context, dir string) (browser context.Context, stop func(), err error) {
	path, err := find()
	if err != nil {
		return nil, nil, err
	}
	allocator, release := chromedp.NewExecAllocator(ctx,
		chromedp.ExecPath(path), chromedp.UserDataDir(dir),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		// It must look for nothing outside this machine.
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
	)
	browser, end := chromedp.NewContext(allocator)
	stop = func() { end(); release() }
	if err := chromedp.Do(browser); err != nil { // starts it
		stop()
		return nil, nil, fmt.Errorf("start %s: %w", path, err)
	}
	return browser, stop, nil
}

// find looks for Chromium by its names in the distributions.
func find() (path string, err error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Chromium is installed (make programs installs it): %w", err)
}

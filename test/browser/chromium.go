package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
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

// chromiumPage is a tab of Chromium, the one of the context that each method is
// called with.
type chromiumPage struct{}

// openChromium makes a tab. complain is called with what the browser holds
// against its page; end closes it.
func openChromium(in context.Context, complain func(string), options ...chromedp.ContextOption) (tab context.Context, end func(), err error) {
	tab, end = chromedp.NewContext(in, options...)
	err = chromedp.Listen(tab, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			details, _ := json.Marshal(e.ExceptionDetails)
			complain(string(details))
		case *log.EventEntryAdded:
			if e.Entry.Source != log.EntrySourceNetwork { // refusals, and servers that are away, are what some tests are about
				complain(e.Entry.Text)
			}
		}
	})
	return tab, end, err
}

func (chromiumPage) Navigate(ctx context.Context, url string) error {
	return chromedp.Do(ctx, chromedp.Navigate(url))
}

func (chromiumPage) Evaluate(ctx context.Context, expression string) (json.RawMessage, error) {
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(async () => JSON.stringify((await (`+expression+`)) ?? null))()`, chromedp.EvalAwaitPromise))
	return json.RawMessage(text), err
}

func (chromiumPage) Click(ctx context.Context, selector string) error {
	return chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
}

func (chromiumPage) Type(ctx context.Context, text string) error {
	return chromedp.Do(ctx, chromedp.KeyEvent(text))
}

func (chromiumPage) Resize(ctx context.Context, width, height int64) error {
	return chromedp.Do(ctx, chromedp.EmulateViewport(width, height))
}

func (chromiumPage) Picture(ctx context.Context) ([]byte, error) {
	return chromedp.Run(ctx, chromedp.CaptureScreenshot())
}

package firefox

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// A browser that is stopped leaves no process, no descriptor and no goroutine,
// with pages still open; while it runs, what a page throws is heard.
func TestFirefoxLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t)
	before := descriptors(t)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	b, err := Start(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<title>a</title><script>onclick = () => { throw new Error('clicked') }</script><body>text`)
	}))
	complaints := make(chan string, 10)
	page, err := b.Open(ctx, func(s string) { complaints <- s })
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Navigate(ctx, site.URL); err != nil {
		t.Fatal(err)
	}
	if title, err := page.Evaluate(ctx, `Promise.resolve(document.title)`); err != nil || string(title) != `"a"` {
		t.Errorf("the page is %s, %v", title, err)
	}
	if _, err := page.Evaluate(ctx, `nothing.like.this`); err == nil || !strings.Contains(err.Error(), "nothing is not defined") {
		t.Errorf("an exception is %v", err)
	}
	if err := page.Click(ctx, "body"); err != nil {
		t.Fatal(err)
	}
	select {
	case complaint := <-complaints:
		if !strings.Contains(complaint, "clicked") {
			t.Errorf("the complaint is %s", complaint)
		}
	case <-ctx.Done():
		t.Error("no complaint came")
	}
	if running, err := group(b.process.ID); err != nil || len(running) < 2 {
		t.Errorf("of a browser with a page run %v, %v", running, err)
	}
	site.CloseClientConnections()
	site.Close()
	if err := b.Stop(); err != nil {
		t.Error(err)
	}
	if running, err := group(b.process.ID); err != nil || len(running) > 0 {
		t.Errorf("still there: %v, %v", running, err)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(open) == 0 {
		t.Fatal("no descriptors to count", err)
	}
	return len(open)
}

// A program that is no browser is named, with what it says.
func TestAFirefoxThatCannotBeDrivenIsExplained(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "firefox-esr"), []byte("#!/bin/sh\necho no display >&2\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if _, err := Start(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "no display") {
		t.Errorf("the error is %v", err)
	}
}

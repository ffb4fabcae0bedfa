// Package firefox drives a real Firefox by WebDriver BiDi, as far as tests of
// pages need it: tabs in profiles of their own, JavaScript, clicks and keys.
package firefox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/child"
)

// Browser is a running Firefox. Its methods may be called concurrently.
type Browser struct {
	process *child.Process
	session *session
}

// patience bounds the start and the end of a browser: a second each, but for a
// machine that has other things to do.
const patience = 60 * time.Second

// preferences stand where Firefox reads them at its start. Tabs of tests are
// behind one another, and their timers are to run all the same.
const preferences = `
user_pref("dom.min_background_timeout_value", 4);
user_pref("dom.min_background_timeout_value_without_budget_throttling", 4);
user_pref("dom.timeout.enable_budget_timer_throttling", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.normandy.enabled", false);
user_pref("network.dns.disablePrefetch", true);
user_pref("network.prefetch-next", false);
`

// Start starts Firefox with a profile in dir, which must be empty. The caller
// owes a Stop.
func Start(ctx context.Context, dir string) (*Browser, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := os.WriteFile(filepath.Join(dir, "user.js"), []byte(preferences), 0o600); err != nil {
		return nil, err
	}
	said := filepath.Join(dir, "stderr")
	process, err := child.Start(child.Command{
		Line: []string{path, "--headless", "--remote-debugging-port=0", "--profile", dir, "--no-remote"},
		// It keeps all it writes in dir, and no process that outlives it.
		Env:    append(os.Environ(), "HOME="+dir, "TMPDIR="+dir, "MOZ_CRASHREPORTER_DISABLE=1"),
		Stderr: said,
	})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	b := &Browser{process: process}
	address, err := b.address(ctx, said)
	if err == nil {
		b.session, err = newSession(ctx, address)
	}
	if err != nil {
		return nil, errors.Join(err, b.Stop())
	}
	return b, nil
}

// find looks for Firefox by its names in the distributions.
func find() (path string, err error) {
	for _, name := range []string{"firefox-esr", "firefox"} {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Firefox is installed (make programs installs it): %w", err)
}

var listening = regexp.MustCompile(`(?m)^WebDriver BiDi listening on (ws://\S+)$`)

// address waits for the address that Firefox prints once it can be driven.
func (b *Browser) address(ctx context.Context, said string) (string, error) {
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
		case <-b.process.Exited:
		case <-ctx.Done():
		}
		text, err := os.ReadFile(said)
		if err != nil {
			return "", err
		}
		if found := listening.FindSubmatch(text); found != nil {
			return string(found[1]), nil
		}
		if b.ended() || ctx.Err() != nil {
			return "", fmt.Errorf("firefox cannot be driven; it says:\n%s", text)
		}
	}
}

func (b *Browser) ended() bool {
	select {
	case <-b.process.Exited:
		return true
	default:
		return false
	}
}

// Stop ends the browser and waits until it and the processes of its tabs are
// gone; the last do not end with it at once.
func (b *Browser) Stop() error {
	if b.session != nil {
		b.session.close()
	}
	b.process.Kill()
	_ = syscall.Kill(-b.process.ID, syscall.SIGKILL) // ESRCH: they were faster
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		left, err := group(b.process.ID)
		if err != nil || len(left) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("firefox leaves %v", left)
		}
	}
}

// group returns the processes of a group that run. Those that only wait to be
// buried by whichever process adopted them are not among them.
//
//	4711 (Web Content) S 1 4700 …
func group(id int) (running []string, err error) {
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range all {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // gone meanwhile
		}
		fields := strings.Fields(string(text[strings.LastIndex(string(text), ")")+1:]))
		if len(fields) > 2 && fields[0] != "Z" && fields[2] == fmt.Sprint(id) {
			running = append(running, filepath.Dir(stat))
		}
	}
	return running, err
}

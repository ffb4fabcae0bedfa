package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/config"
)

const (
	healthHelp = `asks the events proxy on this machine how it is.

It is for containers, whose image has no shell: the settings tell where the
process listens. It asks /__heartbeat__, which is well while the broker is
reached and the service does not drain.
Exit status: 0 well, 1 not, 2 misused.`
	healthExamples = `  events health
  events health --live --timeout 2s
`
)

// health asks the process that runs with the same settings.
func (p process) health(ctx context.Context, args []string) int {
	t := newTool("health", "", healthHelp, healthExamples)
	file := t.flags.String("config", "", "`FILE` with settings")
	profile := t.flags.String("profile", "", "`SECTION` of the settings file")
	live := t.flags.Bool("live", false, "ask /__lbheartbeat__: well while the process lives, whatever the broker does")
	ready := t.flags.Bool("ready", false, "ask /__ready__: well until the service drains, whatever the broker does")
	timeout := t.flags.Duration("timeout", 5*time.Second, "`TIME` that the answer may take")
	arguments, status, ok := t.parse(p, args)
	if !ok {
		return status
	}
	if len(arguments) > 0 {
		return t.misuse(p, "unexpected argument %q", arguments[0])
	}
	c, status, ok := p.settings("health", settingsOf(*file, *profile))
	if !ok {
		return status
	}
	if c.Server.Port == 0 {
		return t.misuse(p, "the settings leave the port to the system (0): there is nothing to ask at")
	}
	path := "/__heartbeat__"
	switch {
	case *live && *ready:
		return t.misuse(p, "--live and --ready are two questions")
	case *live:
		path = "/__lbheartbeat__"
	case *ready:
		path = "/__ready__"
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	answer, err := askOwn(ctx, ownURL(c.Server)+path)
	if err != nil {
		fmt.Fprintf(p.stderr, "events health: %v\n", err)
		return failed
	}
	fmt.Fprintln(p.stdout, answer)
	return succeeded
}

// ownURL returns the URL at which a process on this machine reaches the one with these settings.
func ownURL(s config.Server) string {
	host := strings.Trim(s.Host, "[]")
	switch ip := net.ParseIP(host); {
	case host == "":
		host = "localhost"
	case ip != nil && ip.IsUnspecified() && ip.To4() != nil:
		host = "127.0.0.1"
	case ip != nil && ip.IsUnspecified():
		host = "::1"
	}
	return s.Scheme() + "://" + net.JoinHostPort(host, fmt.Sprint(s.Port))
}

// askOwn returns the body of a 200. The certificate is not looked at: it is for the public name,
// and nothing secret is sent.
func askOwn(ctx context.Context, address string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("X-Forwarded-Proto", "https") // with FORCE_SSL it would be sent elsewhere
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	r, err := client.Do(request)
	var failed *url.Error
	if errors.As(err, &failed) {
		return "", failed.Err
	} else if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(body))
	if r.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s %s", r.Status, text)
	}
	return text, nil
}

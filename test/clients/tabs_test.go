package clients_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// printed is a line of tabs.mjs.
type printed struct {
	Request     int
	LastEventID string
	Status      int
	Event       string
	Shown       bool
	Ended       bool
}

// tabs runs tabs.mjs to its end; shown is called when the tab is shown again.
func tabs(t *testing.T, lines, url string, shown func()) (all []printed) {
	t.Helper()
	if _, err := clients.NodeModules(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, "node", "tabs.mjs", lines, url)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		var p printed
		if err := json.Unmarshal(scanner.Bytes(), &p); err != nil {
			t.Errorf("%v: %s", err, scanner.Text())
		}
		if all = append(all, p); p.Shown {
			shown()
		}
	}
	if err := command.Wait(); err != nil {
		t.Errorf("%v after %+v", err, all)
	}
	return all
}

// fetch-event-source leaves the stream when its tab is hidden, and asks again and again, once a
// second for ever, when it is shown: it takes the 204 for a failure. With the lines that the README
// and the page give, it keeps the one stream, and the next message comes over it.
func TestFetchEventSourceKeepsItsStreamWithTheRightLines(t *testing.T) {
	broker, running := start(t)
	url := running.URL + script.ConnectPath + "?" + script.Query(exchange, "#")
	publisher, err := broker.Publisher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.Close()

	requests := 0
	for _, p := range tabs(t, "right", url, func() {
		if err := publisher.Publish(t.Context(), exchange, "primary.a", amqp.Message{Body: []byte("1")}); err != nil {
			t.Error(err)
		}
	}) {
		requests = max(requests, p.Request)
	}
	if requests != 1 {
		t.Errorf("with the right lines it makes %d requests", requests)
	}

	var stopped []printed
	for _, p := range tabs(t, "default", url, func() {}) {
		if p.Status == 204 && p.LastEventID == "-" {
			stopped = append(stopped, p)
		}
	}
	if len(stopped) != 2 {
		t.Errorf("without them it was told to stop %d times: do the lines still have a reason?", len(stopped))
	}
}

// What is tried above is what people are given to copy.
func TestTheRightLinesAreInTheReadmeAndOnThePage(t *testing.T) {
	for _, file := range []string{"../../README.md", "../../http/inspector/assets/inspector/snippets.js", "tabs.mjs"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{"openWhenHidden: true,", "onerror(error) { throw error"} {
			if !strings.Contains(string(text), line) {
				t.Errorf("%s does not have %q", file, line)
			}
		}
	}
}

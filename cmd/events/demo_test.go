package main

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A person who starts the demo and pastes its curl line sees messages within seconds; after Ctrl-C,
// or with its terminal, the stream ends with its reason.
func TestDemoStreamsMessages(t *testing.T) {
	for _, end := range []syscall.Signal{syscall.SIGINT, syscall.SIGHUP} {
		t.Run(end.String(), func(t *testing.T) { streamsMessages(t, end) })
	}
}

func streamsMessages(t *testing.T, end syscall.Signal) {
	demo := start(t, nil, "demo", "--port", "0")
	link := demo.says(`curl -N '(http[^']+)'`)[1]
	stream := demo.open(link)
	defer stream.Body.Close()
	seen := map[string]int{}
	var last frame
	for f := range frames(stream.Body) {
		last = f
		seen[f.name]++
		if f.name == "message" {
			var m struct {
				Exchange   string
				RoutingKey string
				Payload    struct{ Status struct{ TaskID string } }
			}
			if err := json.Unmarshal([]byte(f.data), &m); err != nil || len(m.Payload.Status.TaskID) != 22 || !strings.HasPrefix(m.RoutingKey, "primary."+m.Payload.Status.TaskID+".0.") {
				t.Fatalf("%v: %s", err, f.data)
			}
			seen[m.Exchange]++
		}
		if f.name == "message" && seen["message"] == 3 {
			demo.signal(end)
		}
	}
	if seen["ping"] == 0 || seen["ready"] != 1 || seen[onQueue+"task-running"] == 0 {
		t.Errorf("seen: %v", seen)
	}
	if last.name != "error" || !strings.Contains(last.data, `"code":"ServerShutdown"`) {
		t.Errorf("the stream ends with %+v", last)
	}
	demo.ends(succeeded)
}

// The page, the reference and the health paths are there, and the demo listens for this machine
// alone.
func TestDemoServesThePage(t *testing.T) {
	demo := start(t, nil, "demo", "--port", "0")
	if !strings.HasPrefix(demo.url, "http://127.0.0.1:") {
		t.Errorf("listens on %s", demo.url)
	}
	if link := demo.says(`page +(http\S+)`)[1]; !strings.HasPrefix(link, demo.url+"/?exchange="+onQueue) || !strings.HasSuffix(link, "&live=1") {
		t.Errorf("the page's link is %s", link)
	}
	for _, path := range []string{"/", "/references/events/v1/api.json", "/__version__", "/__heartbeat__", "/__lbheartbeat__", "/api/events/v1/ping"} {
		if status, body := demo.get(path); status != 200 || body == "" {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := demo.get("/metrics"); status != 404 {
		t.Errorf("operators' metrics are public: %d", status)
	}
}

// A person who thinks that the demo reads their broker is told that it does not.
func TestDemoNamesTheSettingsThatItIgnores(t *testing.T) {
	demo := start(t, []string{"PULSE_URL=amqp://ada:hunter2@h/"}, "demo", "--port=0", "--pulse-vhost=v")
	demo.says(`level=WARN msg="ignored: the demo has a broker of its own" setting=PULSE_URL`)
	demo.says(`level=WARN msg="ignored: the demo has a broker of its own" setting=--pulse-vhost`)
	if out := demo.out.String(); strings.Contains(out, "hunter2") || strings.Count(out, "ignored") != 2 {
		t.Error(out)
	}
}

// A second demo beside the first finds a port; a port that was asked for is used, or the demo
// reports that it cannot be.
func TestDemoFindsAnotherPort(t *testing.T) {
	if busy, err := net.Listen("tcp", "127.0.0.1:12345"); err == nil { // else another process has it
		defer busy.Close()
	}
	demo := start(t, nil, "demo")
	if strings.HasSuffix(demo.url, ":12345") {
		t.Errorf("listens on %s, which is taken", demo.url)
	}
	r := execute(t, []string{"PORT=12345"}, "demo")
	if r.status != failed || !strings.Contains(r.stderr, "address already in use") {
		t.Errorf("%+v", r)
	}
}

// However long the demo runs, it publishes what Taskcluster would: on its exchanges, with keys of
// as many words, JSON payloads, and every task in the order of its life.
func TestDemoMessagesAreShapedLikeTaskclusters(t *testing.T) {
	words := map[string]int{onQueue: 10, onGitHub: 3, onWorker: 8}
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	d := newDeployment(1, now)
	lives, exchanges := map[string][]string{}, map[string]bool{}
	for range 300 {
		now = now.Add(time.Second)
		for _, s := range d.second(now) {
			exchanges[s.exchange] = true
			folder := s.exchange[:strings.LastIndex(s.exchange, "/")+1]
			if key := strings.Split(s.routingKey, "."); len(key) != words[folder] || key[0] != "primary" || slices.Contains(key, "") {
				t.Fatalf("%s: key %s", s.exchange, s.routingKey)
			}
			var payload struct {
				Status struct{ TaskID, State string }
			}
			if err := json.Unmarshal(s.message.Body, &payload); err != nil {
				t.Fatalf("%s: %v", s.exchange, err)
			}
			for _, cc := range s.message.CC {
				if !strings.HasPrefix(cc, "route.") {
					t.Fatalf("%s: CC %s", s.exchange, cc)
				}
			}
			if folder == onQueue {
				id := payload.Status.TaskID
				lives[id] = append(lives[id], strings.TrimPrefix(s.exchange, onQueue+"task-")+"/"+payload.Status.State)
			}
		}
	}
	for _, name := range demoExchanges {
		if !exchanges[name] {
			t.Errorf("nothing on %s in five minutes", name)
		}
	}
	ended := 0
	for id, life := range lives {
		state := life[len(life)-1][strings.Index(life[len(life)-1], "/")+1:]
		whole := fmt.Sprintf("[defined/unscheduled pending/pending running/running %s/%s]", state, state)
		if fmt.Sprint(life) == whole {
			ended++
		} else if len(life) == 4 {
			t.Errorf("%s: %v", id, life)
		}
	}
	if ended < 290 {
		t.Errorf("%d tasks ended in 300 seconds", ended)
	}
}

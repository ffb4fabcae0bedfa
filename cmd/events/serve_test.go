package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
)

// noBroker is an address without a listener.
const noBroker = "amqp://ada:hunter2@127.0.0.1:1/vhost"

const someBindings = "/api/events/v1/connect/?bindings=%7B%22bindings%22%3A%5B%7B%22exchange%22%3A%22e%22%2C%22routingKeyPattern%22%3A%22%23%22%7D%5D%7D"

// Without a broker the process is up and reports it; streams get an error event; nothing that is
// printed holds the password.
func TestServeStartsWithoutABroker(t *testing.T) {
	events := start(t, []string{"PULSE_URL=" + noBroker, "PORT=0", "DEBUG=events:*"}, "serve")
	if status, _ := events.get("/__lbheartbeat__"); status != 200 {
		t.Errorf("/__lbheartbeat__: %d", status)
	}
	if status, body := events.get("/__heartbeat__"); status != 503 {
		t.Errorf("/__heartbeat__: %d %s", status, body)
	}
	if _, body := events.get(someBindings); !strings.Contains(body, `"code":"BrokerUnavailable"`) {
		t.Errorf("stream: %s", body)
	}
	events.says("level=DEBUG")
	events.says(`broker=amqp://127.0.0.1:1/vhost`)
	events.signal(syscall.SIGTERM)
	events.ends(succeeded)
	if out := events.out.String(); strings.Contains(out, "hunter2") {
		t.Errorf("the password is printed:\n%s", out)
	}
}

// `server` is the original's word.
func TestServerIsServe(t *testing.T) {
	events := start(t, []string{"PULSE_URL=" + noBroker}, "server", "--port=0", "--log-format=json", "--host=127.0.0.1")
	events.says(`"msg":"listening on ` + events.url + `"`)
	events.signal(syscall.SIGTERM)
	events.ends(succeeded)
}

// Metrics and tree are on the operator's listener and nowhere else.
func TestOperatorsHaveTheirOwnListener(t *testing.T) {
	events := start(t, []string{"PULSE_URL=" + noBroker, "PORT=0", "EVENTS_OPERATOR=127.0.0.1:0"}, "serve")
	operators := events.says(`operators on (\S+)`)[1]
	for path, want := range map[string]string{"/metrics": "events_streams 0", "/__tree__": "connections"} {
		if status, body := events.get(operators + path); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
		if status, _ := events.get(path); status != 404 {
			t.Errorf("%s is public", path)
		}
	}
}

// Profiles are for operators, and only where they are wanted.
func TestProfilesAreForOperatorsWhoWantThem(t *testing.T) {
	for _, wanted := range []string{"true", "false"} {
		events := start(t, []string{"PULSE_URL=" + noBroker, "PORT=0", "EVENTS_OPERATOR=127.0.0.1:0", "EVENTS_PPROF=" + wanted}, "serve")
		operators := events.says(`operators on (\S+)`)[1]
		want := map[string]int{"true": 200, "false": 404}[wanted]
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/goroutine?debug=1", "/debug/pprof/profile?seconds=1"} {
			if status, _ := events.get(operators + path); status != want {
				t.Errorf("wanted %s: %s is %d", wanted, path, status)
			}
			if status, _ := events.get(path); status != 404 {
				t.Errorf("%s is public", path)
			}
		}
		if status, _ := events.get(operators + "/nothing"); status != 404 {
			t.Errorf("an unknown path is %d", status)
		}
	}
}

// While it drains the process still answers: not ready, no new streams, come back later; and those
// that are open all end with their reason.
func TestDrainTellsEverybody(t *testing.T) {
	events := start(t, nil, "demo", "--port=0", "--drain-spread=2s", "--drain-time=20s", "--drain-hard-end=25s")
	link := events.says(`curl -N '(http[^']+)'`)[1]
	var streams []io.ReadCloser
	for range 20 {
		streams = append(streams, events.open(link).Body)
	}
	events.signal(syscall.SIGTERM)
	events.says("msg=draining")
	events.untilReadinessIs(503)
	if r := events.open(link); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("a new stream gets %d, Retry-After %q", r.StatusCode, r.Header.Get("Retry-After"))
	}
	for i, body := range streams {
		var last frame
		for f := range frames(body) {
			last = f
		}
		body.Close()
		if last.name != "error" || !strings.Contains(last.data, "ServerShutdown") {
			t.Errorf("stream %d ends with %+v", i, last)
		}
	}
	events.ends(succeeded)
}

// Before the log exists a proxy already prints in its format: a program that reads the log as JSON
// reads why there is none.
func TestWhatIsPrintedBeforeTheLogHasItsFormat(t *testing.T) {
	for _, args := range [][]string{
		{"serve"}, {"serve", "--port=x"}, {"serve", "--prot=1"}, {"serve", "--pulse-url=" + noBroker, "--host=192.0.2.1"},
		{"demo", "--port=x"}, {"demo", "--prot=1"}, {"demo", "--host=192.0.2.1"},
	} {
		r := execute(t, []string{"EVENTS_LOG_FORMAT=json"}, args...)
		for line := range strings.Lines(r.stderr) {
			var entry struct{ Level, Msg, Error string }
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Level != "ERROR" || entry.Error == "" {
				t.Errorf("%v: %v: %s", args, err, line)
			}
		}
		if r.status == succeeded || r.stderr == "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

// The log is as talkative as it is told, whichever way.
func TestLogLevel(t *testing.T) {
	quiet := start(t, []string{"PULSE_URL=" + noBroker, "PORT=0", "EVENTS_LOG_LEVEL=error", "DEBUG=events:*"}, "serve")
	quiet.get(someBindings)
	quiet.signal(syscall.SIGTERM)
	quiet.ends(succeeded)
	for _, level := range []string{"DEBUG", "INFO", "WARN"} {
		if out := quiet.out.String(); strings.Contains(out, "level="+level) {
			t.Errorf("with the level error:\n%s", out)
		}
	}
	start(t, []string{"PULSE_URL=" + noBroker, "PORT=0", "EVENTS_LOG_LEVEL=debug"}, "serve").says("level=DEBUG")
}

// A second signal means: do not wait.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	for _, second := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		events := start(t, nil, "demo", "--port=0", "--drain-spread=10m", "--drain-time=10m")
		link := events.says(`curl -N '(http[^']+)'`)[1]
		for range 5 {
			defer events.open(link).Body.Close()
		}
		events.signal(syscall.SIGTERM)
		events.says("msg=draining")
		events.insist(second)
		events.ends(ended(second))
		events.says(`level=WARN msg="ended at once, by a second signal" signal=`)
	}
}

// timeout(1) sends its signal to the process and then to its group: that is one wish, and every
// stream is told.
func TestTwoSignalsAtOnceAreOne(t *testing.T) {
	events := start(t, nil, "demo", "--port=0", "--drain-spread=1s")
	stream := events.open(events.says(`curl -N '(http[^']+)'`)[1])
	defer stream.Body.Close()
	var last frame
	for f := range frames(stream.Body) {
		if last = f; f.name == "ready" {
			events.signal(syscall.SIGTERM)
			events.signal(syscall.SIGINT)
		}
	}
	if last.name != "error" || !strings.Contains(last.data, `"code":"ServerShutdown"`) {
		t.Errorf("the stream ends with %+v", last)
	}
	events.ends(succeeded)
}

// A port that is taken is an error with its address, not a process that cannot be reached.
func TestServeSaysThatThePortIsTaken(t *testing.T) {
	first := start(t, []string{"PULSE_URL=" + noBroker, "PORT=0"}, "serve", "--host=127.0.0.1")
	port := first.url[strings.LastIndex(first.url, ":")+1:]
	for which, args := range map[string][]string{
		`error="listen tcp 127.0.0.1:`:                          {"--port", port},
		`error="the operators' listener: listen tcp 127.0.0.1:`: {"--port=0", "--operator=127.0.0.1:" + port},
	} {
		r := execute(t, []string{"PULSE_URL=" + noBroker}, append([]string{"serve", "--host=127.0.0.1"}, args...)...)
		if r.status != failed || !strings.Contains(r.stderr, which+port) || !strings.Contains(r.stderr, "address already in use") {
			t.Errorf("%v: %+v", args, r)
		}
	}
}

// Settings that are wrong end the process before it listens, with status 2 and all of them named.
func TestServeNamesEveryWrongSetting(t *testing.T) {
	for _, row := range []struct {
		env  []string
		want string
	}{
		{nil, "no broker: set PULSE_URL"},
		{[]string{"PULSE_URL=" + noBroker, "PORT=x", "EVENTS_BACKLOG=y"}, `level=ERROR msg="cannot start" error="PORT: \"x\" is not`},
		{[]string{"PULSE_URL=" + noBroker, "PORT=x", "EVENTS_BACKLOG=y"}, `error="EVENTS_BACKLOG: \"y\" is not`},
		{[]string{"PULSE_URL=" + noBroker, "PORT=x", "EVENTS_LOG_FORMAT=json"}, `"level":"ERROR","msg":"cannot start","error":"PORT: \"x\" is not`},
		{[]string{"PULSE_URL=amqp://ada:hunter2@h/?auth_mechanism=magic"}, "auth_mechanism"},
	} {
		r := execute(t, row.env, "serve")
		if r.status != misused || !strings.Contains(r.stderr, row.want) || strings.Contains(r.stderr, "hunter2") || r.stdout != "" {
			t.Errorf("%v: %+v", row.env, r)
		}
	}
	long := fmt.Sprintf("PULSE_NAMESPACE=%0300d", 0)
	if r := execute(t, []string{"PULSE_URL=" + noBroker, long, "PORT=0"}, "serve"); r.status != misused || !strings.Contains(r.stderr, "amespace") {
		t.Errorf("a namespace that makes no queue names: %+v", r)
	}
}

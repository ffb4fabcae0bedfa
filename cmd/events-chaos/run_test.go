package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/chaos/leaks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(m), leaks.OfToxiproxy()...) }

func invoke(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, complaints bytes.Buffer
	status = command{&out, &complaints}.run(t.Context(), args)
	return status, out.String(), complaints.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// A wrong call is told what is wrong, and starts nothing.
func TestWrongCallsExitWithTwo(t *testing.T) {
	for call, says := range map[string]string{
		"":                                "no command is named",
		"play x.txt":                      "no command is called",
		"chekc x":                         "did you mean check?",
		"run":                             "name scripts, or --random",
		"run nowhere.txt":                 "nowhere.txt",
		"run options.go":                  "is no claim", // it proves nothing
		"run --random 5 run.go":           "name scripts, or --random",
		"run --proxy http://x run.go":     "go together",
		"run --random 5 --clients 0":      "out of its range",
		"run --no-such-flag run.go":       "no-such-flag",
		"run --random 5 --memory -1":      "out of its range",
		"run --operator http://x run.go":  "go together",
		"run --seed nonsense --random 10": "seed",
		"run --random 5 --management x":   "http://user:password@host:15672",
		"run --random 5 --management http://x:15672": "--management goes with --proxy",
		"run --random 5 --schedule nowhere.json":     "nowhere.json",
		"run --random 5 --shared --routed":           "one of them",
		"run --schedule x y.txt":                     "--schedule goes with --random",
		"run --random 5 --report .":                  "is not empty",
		"check":                                      "usage: events-chaos check DIR",
		"shrink":                                     "usage: events-chaos shrink",
		"list faults":                                "usage: events-chaos list",
	} {
		if status, _, stderr := invoke(t, strings.Fields(call)...); status != misused || !strings.Contains(stderr, says) {
			t.Errorf("%q: status %d, %s", call, status, stderr)
		}
	}
}

// After a signal the script under way is played to its end, and no other; that
// is not a pass.
func TestASignalCallsTheOtherScriptsOff(t *testing.T) {
	t.Parallel()
	const text = "# a stream that is left leaves nothing behind\nconnect ada exchange/tc/task '#'\nexpect ada ready\nleave ada\nexpect broker clean\n"
	first, second := write(t, "first.txt", text), write(t, "second.txt", text)
	ctx, signal := context.WithCancel(t.Context())
	stdout, complaints := &watched{text: "pass     first", then: signal}, &bytes.Buffer{}
	status := command{stdout, complaints}.run(ctx, []string{"run", first, second})
	if status != unproved || strings.Contains(stdout.String(), "second") || !strings.Contains(complaints.String(), "1 of 2 scripts were not played") {
		t.Errorf("status %d\n%s%s", status, stdout, complaints)
	}
}

// watched is an output that does something when a text comes by.
type watched struct {
	bytes.Buffer
	text string
	then func()
}

func (w *watched) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.then()
	}
	return w.Buffer.Write(p)
}

// What is missing is named, with what to do.
func TestWithoutRabbitMQOneIsToldWhatToDo(t *testing.T) {
	for _, missing := range []error{exec.ErrNotFound, fs.ErrNotExist} {
		said := explained(fmt.Errorf("rabbit: start: %w", missing)).Error()
		if !strings.Contains(said, "apt-get install rabbitmq-server") || !strings.Contains(said, "--broker") {
			t.Errorf("%v: %s", missing, said)
		}
	}
}

// A claim that holds is told with the broker's evidence, one that does not
// with its transcript, and the exit status tells.
func TestTheExitStatusTellsWhetherEveryClaimHolds(t *testing.T) {
	t.Parallel()
	good := write(t, "good.txt", "# a stream that is left leaves nothing behind\nconnect ada exchange/tc/task '#'\nexpect ada ready\nleave ada\nexpect broker clean\n")
	bad := write(t, "bad.txt", "# a claim that is not true\nconnect ada -json 7\nexpect ada ended SlowConsumer\n")
	status, stdout, _ := invoke(t, "run", good)
	if status != held || !strings.Contains(stdout, "pass     good") || !strings.Contains(stdout, "0 queues") || !strings.Contains(stdout, "1 passed, 0 failed") {
		t.Errorf("status %d\n%s", status, stdout)
	}
	dir := filepath.Join(t.TempDir(), "report")
	empty := write(t, "empty.txt", "# a claim for another mode\n[dedicated] connect ada exchange/tc/task '#'\n[dedicated] expect ada ready\n[dedicated] leave ada\nexpect broker clean\n")
	status, stdout, stderr := invoke(t, "run", "--json", "--shared", "--report", dir, bad, good, empty)
	if status != broken || !strings.Contains(stderr, "1 of 3 claims") {
		t.Errorf("status %d, %s", status, stderr)
	}
	var results []chaos.Result
	for lines := json.NewDecoder(strings.NewReader(stdout)); lines.More(); {
		var r chaos.Result
		if err := lines.Decode(&r); err != nil {
			t.Fatalf("%v\n%s", err, stdout)
		}
		results = append(results, r)
	}
	if len(results) != 3 || results[0].Verdict != chaos.Fail || results[1].Verdict != chaos.Pass || !strings.Contains(results[0].Transcript, "InvalidBindings") ||
		results[0].Claim != "a claim that is not true" || results[1].Evidence == "" ||
		results[2].Verdict != chaos.Unknown || !strings.Contains(results[2].Reason, "no claim of its own was judged") {
		t.Errorf("%+v", results)
	}
	keptLogs(t, dir, map[string]string{"node-0.log": "Server startup complete"})

	dir = filepath.Join(t.TempDir(), "report") // alone, what proves nothing is neither a failure nor a pass
	status, stdout, stderr = invoke(t, "run", "--shared", "--report", dir, empty)
	if status != unproved || !strings.Contains(stdout, "unknown  empty") || !strings.Contains(stderr, "1 of 1 claims could not be judged") {
		t.Errorf("status %d, %s\n%s", status, stderr, stdout)
	}
	const why = "no claim of its own was judged"
	reportSays(t, dir, map[string]string{
		"result.json": `"unknown": 1`, "junit.xml": `errors="3"`, "index.html": why, "history.ndjson": why,
	})
	status, stdout, stderr = invoke(t, "check", dir)
	if status != unproved || !strings.Contains(stdout, why) || !strings.Contains(stdout, "the runner agrees") {
		t.Errorf("status %d, %s\n%s", status, stderr, stdout)
	}
}

func reportSays(t *testing.T, dir string, says map[string]string) {
	t.Helper()
	for file, text := range says {
		if have, err := os.ReadFile(filepath.Join(dir, file)); err != nil || !strings.Contains(string(have), text) {
			t.Errorf("%s lacks %q: %v\n%s", file, text, err, have)
		}
	}
}

// Where a run fails, what the proxy and the broker said themselves lies in its report.
func TestTheLogsOfARunThatFailsAreKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "report")
	status, stdout, _ := invoke(t, "run", "--random", "1", "--clients", "3", "--memory", "8", "--report", dir)
	if status != broken || !strings.Contains(stdout, "bytes are resident") {
		t.Fatalf("status %d\n%s", status, stdout)
	}
	keptLogs(t, dir, map[string]string{"proxy.log": "broker link up", "node-0.log": "Server startup complete"})
}

func keptLogs(t *testing.T, dir string, logs map[string]string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for name, says := range logs {
		text, err := os.ReadFile(filepath.Join(dir, "logs", name))
		if err != nil || !strings.Contains(string(text), says) {
			t.Errorf("%s lacks %q: %v", name, says, err)
		}
		if !strings.Contains(string(page), "logs/"+name) {
			t.Errorf("the page does not name %s", name)
		}
	}
}

// A short random run is told in words and in a report of four files, and anybody
// can have its history judged again, with the same result.
func TestARandomRunLeavesAReportThatCanBeJudgedAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "report")
	status, stdout, stderr := invoke(t, "run", "--random", "3", "--clients", "20", "--memory", "300", "--report", dir)
	if status != held || !strings.Contains(stdout, "verdict: pass (seed 1)") || !strings.Contains(stdout, "broker: 0 queues") {
		t.Fatalf("status %d, %s\n%s", status, stderr, stdout)
	}
	reportSays(t, dir, map[string]string{
		"history.ndjson": `"kind":"healed"`,
		"result.json":    `"verdict": "pass"`,
		"junit.xml":      `failures="0" errors="0"`,
		"index.html":     "events-chaos run --random 3 --clients 20 --memory 300 --seed 1",
	})
	status, stdout, stderr = invoke(t, "check", dir)
	if status != held || !strings.Contains(stdout, "the runner agrees") || !strings.Contains(stdout, "verdict: pass") {
		t.Errorf("status %d, %s\n%s", status, stderr, stdout)
	}
	if status, _, stderr = invoke(t, "shrink", dir); status != misused || !strings.Contains(stderr, "did not fail") {
		t.Errorf("status %d, %s", status, stderr)
	}
}

// A proxy and a broker that run already are played on as they are, and the
// broker says what is left there.
func TestItAttachesToARunningProxy(t *testing.T) {
	t.Parallel()
	node, err := rabbit.StartManagedNode(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	binary, err := chaos.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	process, err := chaos.Start(binary, node.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer process.Close()
	attach := []string{"--proxy", process.Proxy, "--operator", process.Operators, "--broker", node.URL()}
	managed := slices.Concat(attach, []string{"--management", node.ManagementURL()})
	locked := slices.Concat(attach, []string{"--management", strings.Replace(node.ManagementURL(), ":guest@", ":wrong@", 1)})
	heals := write(t, "heals.txt", "# a running proxy delivers, and heals\nconnect ada -retry exchange/tc/task '#'\nexpect ada ready\npublish exchange/tc/task a 3\nexpect ada 3 messages\ncrash worker ada\nexpect ada ended InternalError\nexpect process 1 InternalError\nexpect process 0 restarts\nexpect broker clean\nexpect process clean\n")
	drops := write(t, "drops.txt", "# a link that an administrator closes is told\nconnect ada -retry exchange/tc/task '#'\nexpect ada ready\nexpect broker 1 queue\nbroker drop-links\nexpect ada ended BrokerLost\nexpect broker clean\n")
	kills := write(t, "kills.txt", "# a script that needs the broker's process\nbroker kill\n")
	restarts := write(t, "restarts.txt", "# an actor that fails is restarted once\nconnect ada -retry exchange/tc/task '#'\nexpect ada ready\ncrash connections\nexpect ada ended InternalError\nexpect process 1 restarts\nexpect tree connections restarts 1\n")
	asks := write(t, "asks.txt", "# a script that asks for settings\nsettings ping=1s\nconnect ada exchange/tc/task '#'\n")
	random := []string{"--random", "2", "--clients", "5"}
	// Whether nothing is left, or no more than before, depends on the broker's statistics of the run before.
	const byProxy, byBroker = " (by the proxy's own account", " (by the broker's account)"
	for _, run := range []struct {
		site, plays []string
		status      int
		says        string
	}{
		{attach, []string{heals}, held, byProxy},
		{managed, []string{heals, drops}, held, byBroker},
		{attach, []string{heals}, held, byProxy}, // the same again: counts begin anew
		{attach, []string{restarts}, held, "has been restarted"},
		{attach, []string{restarts}, held, "has been restarted"}, // and so do these
		{attach, []string{drops}, unproved, "skipped  drops"},    // nothing there can do it
		{managed, []string{kills}, unproved, "broker kill needs"},
		{attach, []string{asks}, unproved, "asks for settings"},
		{locked, []string{heals}, unproved, "unknown  heals"},
		{managed, random, held, "drop-links"},
		{attach, random, held, "skipped: links dropped by the broker"},
	} {
		call := slices.Concat([]string{"run"}, run.site, run.plays)
		if status, stdout, stderr := invoke(t, call...); status != run.status || !strings.Contains(stdout, run.says) {
			t.Errorf("%q: status %d, %s\n%s", call, status, stderr, stdout)
		}
	}
	attach[len(attach)-1] = "amqp://nowhere.invalid" // how the proxy serves cannot be found out
	if status, _, stderr := invoke(t, slices.Concat([]string{"run"}, attach, []string{heals})...); status != unproved || !strings.Contains(stderr, "nowhere.invalid") {
		t.Errorf("status %d, %s", status, stderr)
	}
	if err := node.Clean(t.Context(), amqp.QueuePrefix("guest"), 0); err != nil {
		t.Error(err)
	}
}

// With nothing that can be made to fail no run is a pass, and none claims that an actor failed,
// however the proxy serves; and how that is, is found out, so that a script's claims are those of the
// proxy's own mode.
func TestAProxyWithoutFaultInjectionProvesNothingInAnyMode(t *testing.T) {
	node, err := rabbit.StartNode(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	binary, err := chaos.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	crashes := write(t, "crashes.txt", "# an actor that fails ends its stream\nconnect ada -retry exchange/tc/task '#'\nexpect ada ready\ncrash worker ada\nexpect ada ended InternalError\n")
	serves := write(t, "serves.txt", "# queues are shared as the proxy was told\nconnect ada -count 2 exchange/tc/task '#'\nconnect bob exchange/tc/task 'a.#'\n"+
		"[dedicated] expect broker 3 queues\n[shared] expect broker 2 queues\n[routed] expect broker 1 queue\nleave *\nexpect broker clean\n")
	for mode, flags := range map[chaos.Mode][]string{
		chaos.Dedicated: nil, chaos.Shared: {"--share-queues"}, chaos.Routed: {"--routed-exchanges", "exchange/tc/*," + randomExchange},
	} {
		t.Run(string(mode), func(t *testing.T) {
			tame, err := chaos.StartTame(binary, node.URL(), flags...)
			if err != nil {
				t.Fatal(err)
			}
			defer tame.Close()
			attach := []string{"run", "--proxy", tame.Proxy, "--operator", tame.Operators, "--broker", node.URL()}
			for _, plays := range [][]string{{"--random", "2", "--clients", "8"}, {crashes}} {
				status, stdout, stderr := invoke(t, slices.Concat(attach, plays)...)
				if status != unproved || !strings.Contains(stdout, "without --chaos") || strings.Contains(stdout, "InternalError") {
					t.Errorf("%q: status %d, %s\n%s", plays, status, stderr, stdout)
				}
			}
			if status, stdout, stderr := invoke(t, append(attach, serves)...); status != held {
				t.Errorf("status %d, %s\n%s", status, stderr, stdout)
			}
			if status, _, stderr := invoke(t, append(attach, "--shared", serves)...); (mode == chaos.Shared) == (status == misused) {
				t.Errorf("--shared: status %d, %s", status, stderr)
			}
		})
	}
	if err := node.Clean(t.Context(), amqp.QueuePrefix("guest"), 0); err != nil {
		t.Error(err)
	}
}

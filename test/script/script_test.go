package script

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A script whose claims are false fails, and its error names the claim and the reason. Without
// this, all the others would prove nothing.
func TestFalseClaimsFail(t *testing.T) {
	const ready = "connect ada exchange/tc/task '#'\nexpect ada ready\n"
	for script, complaint := range map[string]string{
		"connect ada exchange/tc/nowhere '#'\nexpect ada ready":                                  "it is not ready",
		ready + "publish exchange/tc/task k 2\nexpect ada 3 messages":                            "2 messages have come, not 3",
		ready + "publish exchange/tc/task k 2\nexpect ada payload {\"n\":2}":                     `has the payload {"n":1}, not {"n":2}`,
		ready + "publish exchange/tc/task k\nexpect ada payload {\"n\":1}\nexpect ada key other": `has "k" there, not "other"`,
		ready + "broker drop-links\nexpect ada ended QueueDeleted":                               `with the code "BrokerLost", not "QueueDeleted"`,
		ready + "expect ada ended BrokerLost":                                                    "it has not ended",
		ready + "expect ada reason x":                                                            "there is no error event",
		ready + "expect ada broken":                                                              "its answer is not broken",
		ready + "! expect ada ready":                                                             "the claim is true",
		ready + "expect ada status 204":                                                          "the status is 200, not 204",
		ready + "expect ada header 'Content-Type: text/plain'":                                   `is "text/event-stream; charset=utf-8", not "text/plain"`,
		ready + "expect ada first ready":                                                         "its first event is not ready",
		ready + "expect ada pings 3":                                                             "1 pings have come, not 3",
		ready + "expect broker clean":                                                            "the broker still has",
		ready + "expect broker 2 queues":                                                         "not 2 queues",
		ready + "expect process clean":                                                           "the process still has 1 streams",
		ready + "expect process 1 restarts":                                                      "0 actors have been restarted, not 1",
		"expect answer '^200'":                                                                   "nothing was asked for by get",
		"get /api/events/v1/ping\nexpect answer '^204'":                                          "^204 does not match the answer:\n200 OK\n",
		"get /api/events/v1/ping\n! expect answer '^200'":                                        "the claim is true",
		ready + "leave ada\nexpect ada ready":                                                    "no stream is called ada",
		ready + "settings streams=1":                                                             "settings come first",
		ready + "connect ada exchange/tc/task '#'":                                               "there is a stream called ada already",
		"settings strems=1":                                                                      "no setting is called strems",
		"connect ada exchange/tc/task primary.#":                                                 "lacks quotes", // # begins a comment
		"connect ada exchange/tc/task #":                                                         "lacks quotes",
		"broker explode":                                                                         "no fault is called explode",
		"broker frezee":                                                                          "did you mean freeze?",
		"network latncy":                                                                         "did you mean latency?",
		"conect ada":                                                                             `unknown command "conect" (did you mean "connect"?)`,
		"broker latency":                                                                         "it cannot be done here: broker latency",
		"expect ada happy":                                                                       "no stream is called ada",
		"! connect ada":                                                                          "can not be negated",
		"connect ada -json x\ncrash worker ada":                                                  "has admitted no such stream",
	} {
		t.Run(complaint, func(t *testing.T) {
			t.Parallel()
			r := &recorder{dir: t.TempDir()}
			r.play(t, script)
			if !r.failed || !strings.Contains(r.log.String(), complaint) {
				t.Errorf("the script\n%s\nhas ended with failed %t, and %q is not in\n%s", script, r.failed, complaint, r.log.String())
			}
		})
	}
}

// A failure shows what every stream has received.
func TestFailureShowsTheTranscripts(t *testing.T) {
	r := &recorder{dir: t.TempDir()}
	r.play(t, "connect ada exchange/tc/task '#'\nexpect ada ready\nconnect bob -json nonsense\nexpect ada 1 message\n")
	for _, line := range []string{"ada: 200", "ready   {}", "still open", "bob: 200", `error   {"code":"InvalidBindings"`, "end of the answer"} {
		if !strings.Contains(r.log.String(), line) {
			t.Errorf("%q is not in\n%s", line, r.log.String())
		}
	}
}

// recorder is a T of our own, as a program that plays scripts has one: nothing
// of the language depends on package testing.
type recorder struct {
	dir    string
	log    strings.Builder
	failed bool
}

func (r *recorder) play(t *testing.T, text string) {
	t.Helper()
	r.playOn(t, Params{Brokers: Memory(), Proxy: Local, Patience: 300 * time.Millisecond}, text)
}

func (r *recorder) playOn(t *testing.T, p Params, text string) {
	t.Helper()
	file := filepath.Join(r.dir, "script.txt")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	Play(r, p, []string{file})
}

func (r *recorder) Skip(args ...any)  { r.Fatal(append([]any{"skipped:"}, args...)...) }
func (r *recorder) Fatal(args ...any) { r.Log(args...); r.FailNow() }
func (r *recorder) Log(args ...any)   { fmt.Fprintln(&r.log, args...) }
func (r *recorder) Parallel()         {}
func (r *recorder) Verbose() bool     { return true }
func (r *recorder) FailNow()          { r.failed = true; runtime.Goexit() }

// Run runs a subtest on a goroutine of its own, which FailNow can end.
func (r *recorder) Run(_ string, f func(testscript.T)) {
	done := make(chan struct{})
	go func() { defer close(done); f(r) }()
	<-done
}

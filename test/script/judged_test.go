package script

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// A script that expects nothing but what also holds where nothing is done proves nothing: it must not
// pass, in whatever mode its claims are left out.
func TestAScriptWithoutAClaimOfItsOwnIsNoPass(t *testing.T) {
	const ended = "expect broker clean\nexpect process clean\n"
	for name, c := range map[string]struct {
		text   string
		shared bool
		empty  bool
	}{
		"its claims are of another mode": {"[dedicated] connect ada exchange/tc/task '#'\n[dedicated] expect ada ready\n[dedicated] leave ada\n" + ended, true, true},
		"its claims are of this mode":    {"[dedicated] connect ada exchange/tc/task '#'\n[dedicated] expect ada ready\n[dedicated] leave ada\n" + ended, false, false},
		"nothing but settings":           {"settings prefetch=20\n" + ended, false, true},
		"nothing that happened":          {"get /api/events/v1/ping\nexpect process 0 restarts\nexpect tree broker restarts 0\nexpect process 0 BrokerLost\n" + ended, false, true},
		"a claim about an answer":        {"get /api/events/v1/ping\nexpect answer '^200 OK$'\n" + ended, false, false},
		"a storm, which looks at all":    {"storm -rate 20 -for 100ms exchange/tc/task '#'\n" + ended, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, seen := &recorder{dir: t.TempDir()}, &endings{}
			r.playOn(t, Params{
				Brokers: Memory(), Proxy: Local, Observer: seen, Patience: 5 * time.Second, Settings: Settings{ShareQueues: c.shared},
			}, c.text)
			if r.failed != c.empty || errors.Is(seen.cause, ErrUnjudged) != c.empty {
				t.Errorf("failed %t, %v\n%s", r.failed, seen.cause, r.log.String())
			}
		})
	}
}

// What a claim lacked when it was last looked at is what is told, not that the last look was cut off.
func TestAClaimThatNeverHoldsIsToldByItsLastAnswer(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	answers := []string{"1 stream", "2 streams"}
	err := eventually(ctx, func() error {
		if len(answers) == 0 {
			cancel()
			return errors.New("cut off")
		}
		defer func() { answers = answers[1:] }()
		return errors.New(answers[0])
	})
	if err == nil || !strings.Contains(err.Error(), "2 streams") {
		t.Errorf("got %v", err)
	}
}

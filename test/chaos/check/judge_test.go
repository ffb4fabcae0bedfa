package check_test

import (
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/test/chaos/check"
)

// sound is a history in which everything holds: two clients, one harm to the first.
const sound = `{"t":0,"kind":"run","version":1,"mode":"random","clients":2,"patience":5,"memory":1000,"environment":{}}
{"t":0.1,"kind":"phase","name":"before"}
{"t":0.1,"kind":"sample","streams":0,"failures":3,"goroutines":10,"descriptors":9,"resident":500,"heap":100}
{"t":0.1,"kind":"census","queues":0,"connections":1}
{"t":0.2,"kind":"harmkind","name":"crash worker","scope":"stream"}
{"t":0.2,"kind":"open","client":0,"stream":1,"group":0,"status":200}
{"t":0.2,"kind":"open","client":1,"stream":2,"group":1,"status":200}
{"t":0.3,"kind":"ready","stream":1}
{"t":0.3,"kind":"ready","stream":2}
{"t":0.4,"kind":"publish","n":1,"took":0.01,"confirmed":true}
{"t":0.5,"kind":"publish","n":2,"took":0.01,"confirmed":true}
{"t":0.41,"kind":"messages","stream":1,"from":1,"at":[0,100]}
{"t":0.41,"kind":"messages","stream":2,"from":1,"at":[0,100]}
{"t":1,"kind":"phase","name":"harm"}
{"t":1,"kind":"asked","harm":1,"name":"crash worker","scope":"stream","client":0,"group":0,"codes":["InternalError"]}
{"t":1.1,"kind":"error","stream":1,"code":"InternalError","retryable":true,"message":"x"}
{"t":1.1,"kind":"end","stream":1,"how":"order"}
{"t":1.2,"kind":"seen","harm":1,"sign":"the proxy's list of ends"}
{"t":1.3,"kind":"publish","n":3,"took":0.01,"confirmed":true}
{"t":1.31,"kind":"messages","stream":2,"from":3,"at":[0]}
{"t":1.4,"kind":"open","client":0,"stream":3,"group":0,"status":200}
{"t":1.5,"kind":"ready","stream":3}
{"t":1.6,"kind":"publish","n":4,"took":0.01,"confirmed":true}
{"t":1.61,"kind":"messages","stream":2,"from":4,"at":[0]}
{"t":1.61,"kind":"messages","stream":3,"from":4,"at":[0]}
{"t":1.7,"kind":"healed","harm":1}
{"t":1.8,"kind":"told","wanted":"InvalidBindings","told":"InvalidBindings"}
{"t":2,"kind":"phase","name":"after"}
{"t":2.1,"kind":"publish","n":5,"took":0.01,"confirmed":true}
{"t":2.11,"kind":"messages","stream":2,"from":5,"at":[0]}
{"t":2.11,"kind":"messages","stream":3,"from":5,"at":[0]}
{"t":2.9,"kind":"held","queues":4,"channels":4,"connections":1,"workers":2}
{"t":2.95,"kind":"backlog","messages":0}
{"t":3,"kind":"phase","name":"left"}
{"t":3.1,"kind":"end","stream":2,"how":"left"}
{"t":3.1,"kind":"end","stream":3,"how":"left"}
{"t":3.2,"kind":"sample","streams":0,"failures":4,"goroutines":10,"descriptors":9,"resident":600,"heap":100}
{"t":3.2,"kind":"census","queues":0,"connections":1}
{"t":3.25,"kind":"ended"}
{"t":3.3,"kind":"verdict","verdict":"pass","invariants":[{"name":"complete","verdict":"pass"}]}
`

// A history in which everything holds is a pass, and the runner agrees.
func TestASoundHistoryPasses(t *testing.T) {
	j, err := check.Judge(strings.NewReader(sound))
	if err != nil || j.Verdict != check.Pass || len(j.Disagrees) > 0 {
		t.Fatalf("%v %+v", err, j)
	}
}

// Each thing that must hold is found where it does not, whatever the runner says.
func TestEachViolationIsFoundInTheHistory(t *testing.T) {
	for claim, change := range map[string]struct{ invariant, from, to string }{
		"an end without a code":                 {"one-code", `{"t":1.1,"kind":"error","stream":1,"code":"InternalError","retryable":true,"message":"x"}` + "\n", ""},
		"an answer that broke":                  {"one-code", `"stream":1,"how":"order"`, `"stream":1,"how":"broken","error":"reset"`},
		"two codes":                             {"one-code", `{"t":1.1,"kind":"end","stream":1`, `{"t":1.1,"kind":"error","stream":1,"code":"BrokerLost","retryable":true}` + "\n" + `{"t":1.1,"kind":"end","stream":1`},
		"a right request told that it is wrong": {"one-code", `"code":"InternalError","retryable":true`, `"code":"InternalError","retryable":false`},
		"a loss inside a stream":                {"complete", `{"t":1.31,"kind":"messages","stream":2,"from":3,"at":[0]}` + "\n", ""},
		"a loss before the first":               {"complete", `"stream":1,"from":1,"at":[0,100]`, `"stream":1,"from":2,"at":[0]`},
		"a loss at the end":                     {"complete", `{"t":2.11,"kind":"messages","stream":3,"from":5,"at":[0]}` + "\n", ""},
		"a second copy":                         {"complete", `"stream":2,"from":5,"at":[0]`, `"stream":2,"from":4,"at":[0,1]`},
		"a message from nowhere":                {"complete", `"stream":2,"from":5,"at":[0]`, `"stream":2,"from":5,"at":[0,1]`},
		"a message before ready":                {"ready-first", `{"t":1.5,"kind":"ready","stream":3}`, `{"t":1.65,"kind":"ready","stream":3}`},
		"ready twice":                           {"ready-first", `{"t":1.5,"kind":"ready","stream":3}`, `{"t":1.5,"kind":"ready","stream":3}` + "\n" + `{"t":1.5,"kind":"ready","stream":3}`},
		"another's stream ended":                {"untouched", `"client":0,"group":0,"codes"`, `"client":1,"group":0,"codes"`},
		"a code that is not the harm's":         {"untouched", `"codes":["InternalError"]`, `"codes":["BrokerLost"]`},
		"a refusal without a harm":              {"untouched", `{"t":2,"kind":"phase","name":"after"}`, `{"t":1.9,"kind":"open","client":1,"stream":0,"status":503}` + "\n" + `{"t":2,"kind":"phase","name":"after"}`},
		"no service after the harm":             {"served", `{"t":2,"kind":"phase","name":"after"}`, `{"t":2.5,"kind":"phase","name":"after"}`},
		"messages that stay":                    {"acknowledged", `"kind":"backlog","messages":0`, `"kind":"backlog","messages":7`},
		"a harm that did not heal":              {"healing", `{"t":1.7,"kind":"healed","harm":1}` + "\n", ""},
		"a crash that the proxy denies":         {"real-harm", `"failures":4`, `"failures":3`},
		"a queue left behind":                   {"broker-clean", `{"t":3.2,"kind":"census","queues":0`, `{"t":3.2,"kind":"census","queues":1`},
		"a connection left behind":              {"broker-clean", `"queues":0,"connections":1}` + "\n" + `{"t":3.25`, `"queues":0,"connections":2}` + "\n" + `{"t":3.25`},
		"a goroutine left behind":               {"process-clean", `"failures":4,"goroutines":10`, `"failures":4,"goroutines":11`},
		"a descriptor left behind":              {"process-clean", `"goroutines":10,"descriptors":9,"resident":600`, `"goroutines":10,"descriptors":10,"resident":600`},
		"too much memory":                       {"memory", `"resident":600`, `"resident":1001`},
		"a wrong request that was let in":       {"refusal", `"told":"InvalidBindings"`, `"told":"ready"`},
		"queues that no stream needs":           {"needed", `"queues":4,"channels":4`, `"queues":5,"channels":4`},
		"a process that crashed":                {"orderly-end", `"kind":"ended"`, `"kind":"ended","error":"exit status 2"`},
	} {
		t.Run(claim, func(t *testing.T) {
			j := judge(t, change.from, change.to)
			if j.Verdict != check.Fail || !violates(j, change.invariant) {
				t.Errorf("%s is not found: %+v", change.invariant, j)
			}
			if len(j.Disagrees) == 0 {
				t.Error("the runner said pass, and that is not noticed")
			}
		})
	}
}

// deaf is the sound history with an exchange made again: message 3 reaches no stream.
var deaf = strings.Replace(strings.Replace(strings.Replace(sound,
	`{"t":1.3,"kind":"publish"`, `{"t":1.25,"kind":"deaf","harm":1,"back":0.01,"until":0.1}`+"\n"+`{"t":1.3,"kind":"publish"`, 1),
	`{"t":1.31,"kind":"messages","stream":2,"from":3,"at":[0]}`+"\n", "", 1),
	`"code":"InternalError","retryable":true`, `"code":"BindingRefused","retryable":false`, 1)

// While an exchange that was made again is not bound again, streams may miss messages, and those
// whose binding is refused are told so rightly; neither later, nor in streams that are opened later.
func TestADeafTimeExcusesNoMoreThanItself(t *testing.T) {
	sane := strings.Replace(deaf, `"codes":["InternalError"]`, `"codes":["BindingRefused"]`, 1)
	if j := judgeText(t, sane); j.Verdict != check.Pass {
		t.Errorf("%+v", j)
	}
	for claim, change := range map[string]struct{ invariant, from, to string }{
		"a loss after it":                          {"complete", `"until":0.1`, `"until":0.04`},
		"a loss in a stream that was opened later": {"complete", `{"t":0.2,"kind":"open","client":1,"stream":2`, `{"t":1.27,"kind":"open","client":1,"stream":2`},
		"a refusal that no harm explains":          {"one-code", `"codes":["BindingRefused"]`, `"codes":["InternalError"]`},
	} {
		j := judgeText(t, strings.Replace(sane, change.from, change.to, 1))
		if j.Verdict != check.Fail || !violates(j, change.invariant) {
			t.Errorf("%s is not found: %+v", claim, j)
		}
	}
}

// late is the sound history with a harm that a proxy makes up for long afterwards: its links change
// while the harm is under way and at 2.2 s, and it is over at 1.7 s. It explains StreamExpired from
// 1.5 s on, and for 0.6 s after the last change. Stream 2 ends so, and its client comes back.
var late = strings.NewReplacer(
	`"client":0,"group":0,"codes":["InternalError"]}`,
	`"client":-1,"group":-1,"codes":["InternalError"],"late":{"codes":["StreamExpired"],"after":0.5,"for":0.6}}`,
	`{"t":1.2,"kind":"seen"`, `{"t":1.15,"kind":"links","addresses":["a:1"]}`+"\n"+`{"t":1.2,"kind":"seen"`,
	`{"t":2.9,"kind":"held"`, strings.Join([]string{
		`{"t":2.2,"kind":"links","addresses":["a:1","b:1"]}`,
		`{"t":2.75,"kind":"error","stream":2,"code":"StreamExpired","retryable":true,"message":"x"}`,
		`{"t":2.75,"kind":"end","stream":2,"how":"order"}`,
		`{"t":2.8,"kind":"open","client":1,"stream":4,"group":1,"status":200}`,
		`{"t":2.81,"kind":"ready","stream":4}`,
		`{"t":2.9,"kind":"held"`,
	}, "\n"),
	`{"t":3.1,"kind":"end","stream":2,"how":"left"}`, `{"t":3.1,"kind":"end","stream":4,"how":"left"}`,
).Replace(sound)

// What a proxy does to make up for a harm may end streams when that is over: with the codes that the
// harm names for it, not before their time, not long after the proxy's links have changed, and not at
// all where they have not.
func TestAHarmExplainsLateEndsInTheirTimeAlone(t *testing.T) {
	if j := judgeText(t, late); j.Verdict != check.Pass {
		t.Errorf("%+v", j)
	}
	const first, second = `{"t":1.15,"kind":"links"`, `{"t":2.2,"kind":"links"`
	for claim, changes := range map[string][]string{
		"another code":                    {`"late":{"codes":["StreamExpired"]`, `"late":{"codes":["BrokerLost"]`},
		"no late code":                    {`,"late":{"codes":["StreamExpired"],"after":0.5,"for":0.6}`, ``},
		"an end before its time":          {`"after":0.5`, `"after":1.8`},
		"an end long after the last link": {`"for":0.6`, `"for":0.54`},
		"another client's harm":           {`"scope":"stream","client":-1`, `"scope":"stream","client":0`},
		"a link that is not the harm's":   {second, `{"t":2.31,"kind":"links"`},
		"no link but before the harm":     {first, `{"t":0.9,"kind":"links"`, second, `{"t":0.95,"kind":"links"`, `{"t":2.75,`, `{"t":2.25,`},
		"no link but after the end":       {first, `{"t":0.9,"kind":"links"`, second, `{"t":2.28,"kind":"links"`, `{"t":2.75,`, `{"t":2.25,`},
	} {
		t.Run(claim, func(t *testing.T) {
			for i := 0; i < len(changes); i += 2 {
				if !strings.Contains(late, changes[i]) {
					t.Fatalf("%s is not in the history", changes[i])
				}
			}
			if j := judgeText(t, strings.NewReplacer(changes...).Replace(late)); j.Verdict != check.Fail || !violates(j, "untouched") {
				t.Errorf("%+v", j)
			}
		})
	}
}

// What was not confirmed may come late, as its publisher has gone on by another channel; but once.
func TestAnUnconfirmedMessageMayComeLateAndOnce(t *testing.T) {
	late := strings.Replace(sound, `"n":4,"took":0.01,"confirmed":true`, `"n":4,"took":0.01,"confirmed":false`, 1)
	late = strings.Replace(late, `{"t":1.61,"kind":"messages","stream":2,"from":4,"at":[0]}`+"\n", "", 1)
	const five, four = `{"t":2.11,"kind":"messages","stream":2,"from":5,"at":[0]}`, "\n" + `{"t":2.12,"kind":"messages","stream":2,"from":4,"at":[0]}`
	if j := judgeText(t, strings.Replace(late, five, five+four, 1)); j.Verdict != check.Pass {
		t.Errorf("%+v", j)
	}
	if j := judgeText(t, strings.Replace(late, five, five+four+four, 1)); !violates(j, "complete") {
		t.Errorf("a second copy is not found: %+v", j)
	}
}

// A run that shows nothing is no pass, though no claim failed.
func TestWhatProvesNothingIsUnknown(t *testing.T) {
	for claim, change := range map[string]struct{ from, to string }{
		"a harm that was never seen": {`{"t":1.2,"kind":"seen","harm":1,"sign":"the proxy's list of ends"}` + "\n", ""},
		"a run without harm":         {`{"t":0.2,"kind":"harmkind","name":"crash worker","scope":"stream"}` + "\n", ""},
		"crashes that were skipped":  {`{"t":1,"kind":"phase","name":"harm"}`, `{"t":1,"kind":"skipped","what":"crash of actors","reason":"no --chaos"}` + "\n" + `{"t":1,"kind":"phase","name":"harm"}`},
		"a run without an end":       {`{"t":3.3,"kind":"verdict","verdict":"pass","invariants":[{"name":"complete","verdict":"pass"}]}` + "\n", ""},
		"a last census that failed":  {`{"t":3.2,"kind":"census","queues":0,"connections":1}`, `{"t":3.2,"kind":"census","error":"no answer"}`},
		"a backlog without a count":  {`"kind":"backlog","messages":0`, `"kind":"backlog","messages":0,"error":"no answer"`},
		"no census at the end":       {`{"t":3.2,"kind":"census","queues":0,"connections":1}` + "\n", ""},
		"a stream without an end":    {`{"t":3.1,"kind":"end","stream":3,"how":"left"}` + "\n", ""},
	} {
		t.Run(claim, func(t *testing.T) {
			if j := judge(t, change.from, change.to); j.Verdict != check.Unknown || len(j.Unknown) == 0 {
				t.Errorf("%+v", j)
			}
		})
	}
}

// A history that is cut off, or is none, is an error that names the line.
func TestWhatIsNoHistoryIsAnError(t *testing.T) {
	for text, says := range map[string]string{
		"":                                  "it has no run",
		sound[:len(sound)-20]:               "is cut off",
		"nonsense\n":                        "line 1",
		`{"kind":"run","version":2}` + "\n": "version 2",
		sound + `{"t":4,"kind":"ready","stream":9}` + "\n": "stream 9 was not opened",
		sound + `{"t":4,"kind":"seen","harm":9}` + "\n":    "harm 9 was not asked for",
	} {
		if j, err := check.Judge(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) || j.Verdict != check.Unknown {
			t.Errorf("%q: %v, %s", says, err, j.Verdict)
		}
	}
}

// A script's pass that its own history denies is found.
func TestScriptsAreJudgedByTheirHistory(t *testing.T) {
	const run = `{"t":0,"kind":"run","version":1,"mode":"scripts","environment":{}}
{"t":1,"kind":"open","name":"ada","client":1,"stream":1,"status":200}
{"t":1.1,"kind":"ready","stream":1}
{"t":1.2,"kind":"messages","stream":1,"from":1,"at":[0]}
{"t":1.3,"kind":"messages","stream":1,"from":2,"at":[0]}
{"t":2,"kind":"end","stream":1,"how":"left"}
{"t":1.5,"kind":"asked","harm":1,"name":"broker kill","scope":"all","client":-1,"group":-1,"script":"x"}
{"t":1.6,"kind":"seen","harm":1,"sign":"refused"}
{"t":1,"kind":"command","script":"x","line":"connect ada"}
{"t":1,"kind":"command","script":"x","line":"expect ada 2 messages"}
{"t":2,"kind":"command","script":"x","line":"expect process 0 restarts"}
{"t":2,"kind":"command","script":"x","line":"expect broker clean"}
{"t":2,"kind":"script","script":"x","claim":"c","verdict":"pass"}
{"t":2,"kind":"verdict","verdict":"pass"}
`
	for claim, c := range map[string]struct{ from, to, verdict string }{
		"sound":                    {"", "", check.Pass},
		"a failed command":         {`"line":"connect ada"`, `"line":"connect ada","error":"refused"`, check.Fail},
		"a harm that was not seen": {`"kind":"seen","harm":1,"sign":"refused"`, `"kind":"undone","harm":1,"reason":"no sign"`, check.Unknown},
		"a second copy":            {`"from":2`, `"from":1`, check.Fail},
		"an odd stream":            {`"how":"left"`, `"how":"left","odd":"a second ready"`, check.Fail},
		"nothing but cleanliness":  {`"line":"expect ada 2 messages"`, `"line":"settings prefetch=20"`, check.Unknown},
		"a claim about an answer":  {`"expect ada 2 messages"`, `"! expect answer ^500"`, check.Pass},
		"a claim that failed":      {`"line":"expect ada 2 messages"`, `"line":"expect ada 2 messages","error":"1"`, check.Fail},
		"a storm, all looked at":   {`"expect ada 2 messages"`, `"storm -rate 200 exchange/tc/task '#'"`, check.Pass},
		"a count of the process":   {`"expect ada 2 messages"`, `"expect process 1 ClientGone"`, check.Pass},
		"a skipped script":         {`"verdict":"pass"}` + "\n" + `{"t":2,"kind":"verdict"`, `"verdict":"skipped"}` + "\n" + `{"t":2,"kind":"verdict"`, check.Unknown},
	} {
		j, err := check.Judge(strings.NewReader(strings.Replace(run, c.from, c.to, 1)))
		if err != nil || j.Verdict != c.verdict {
			t.Errorf("%s: %v %+v", claim, err, j)
		}
	}
}

func judge(t *testing.T, from, to string) check.Judgement {
	t.Helper()
	if !strings.Contains(sound, from) {
		t.Fatalf("%s is not in the history", from)
	}
	return judgeText(t, strings.Replace(sound, from, to, 1))
}

func judgeText(t *testing.T, history string) check.Judgement {
	t.Helper()
	j, err := check.Judge(strings.NewReader(history))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func violates(j check.Judgement, invariant string) bool {
	for _, v := range j.Violations {
		if v.Invariant == invariant {
			return true
		}
	}
	return false
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/chaos/check"
	"github.com/taskcluster/events-proxy/test/chaos/history"
	"github.com/taskcluster/events-proxy/test/script"
)

// play plays the scripts and reports each as it ends.
func (c command) play(ctx context.Context, o options) error {
	params := script.Params{}
	facts, logs := environment(), logs(nil)
	if o.proxy != "" {
		site := o.attached()
		var err error
		if o.mode, err = o.attachedMode(ctx, script.DefaultExchange); err != nil {
			return err
		}
		params.Brokers, params.Proxy = site, site.ForScripts
		describeSite(ctx, o, facts)
	} else {
		ground, err := newGround(ctx, o.program, o.nodes)
		if err != nil {
			return err
		}
		defer ground.close()
		ground.describe(ctx, facts)
		params.Brokers, params.Proxy = ground.brokers(), chaos.ForScripts(ground.binary)
		logs = ground.logs
	}
	params.Settings = o.mode.Settings()
	s, err := newSession(o.report)
	if err != nil {
		return err
	}
	s.logs = logs
	s.recorder.Add(history.Run{
		Version: 1, Mode: "scripts", Started: time.Now().UTC().Format(time.RFC3339), Command: o.repeat("events-chaos"),
		Shared: o.mode == chaos.Shared, Routed: o.mode == chaos.Routed, Nodes: o.nodes, Environment: facts,
	})
	results := tally{}
	chaos.Play(ctx, params, o.scripts, s.recorder, func(r chaos.Result) {
		results.add(r)
		if o.asJSON {
			json.NewEncoder(c.stdout).Encode(r)
		} else {
			r.Print(c.stdout, o.verbose)
		}
	})
	if !o.asJSON {
		fmt.Fprintln(c.stdout, results)
	}
	verdict, failure := results.verdict(len(o.scripts))
	s.recorder.Add(history.Verdict{Verdict: verdict})
	return s.conclude(verdict, results, failure)
}

// tally counts the scripts by their verdicts.
type tally struct {
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Unknown int `json:"unknown"`
	Skipped int `json:"skipped"`
}

func (t *tally) add(r chaos.Result) {
	switch r.Verdict {
	case chaos.Pass:
		t.Passed++
	case chaos.Fail:
		t.Failed++
	case chaos.Skipped:
		t.Skipped++
	default:
		t.Unknown++
	}
}

func (t tally) String() string {
	text := fmt.Sprintf("%d passed, %d failed", t.Passed, t.Failed)
	if t.Unknown+t.Skipped > 0 {
		text += fmt.Sprintf(", %d unknown, %d skipped", t.Unknown, t.Skipped)
	}
	return text
}

// verdict is what the scripts prove together; the error says why that is not all.
func (t tally) verdict(wanted int) (string, error) {
	played := t.Passed + t.Failed + t.Unknown + t.Skipped
	switch {
	case t.Failed > 0:
		return check.Fail, fmt.Errorf("%d of %d claims do not hold", t.Failed, played)
	case played < wanted:
		return check.Unknown, fmt.Errorf("called off: %d of %d scripts were not played", wanted-played, wanted)
	case t.Unknown+t.Skipped > 0:
		return check.Unknown, fmt.Errorf("%d of %d claims could not be judged", t.Unknown+t.Skipped, played)
	}
	return check.Pass, nil
}

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/chaos/check"
	"github.com/taskcluster/events-proxy/test/chaos/random"
)

// shrunkFile is where a shorter schedule is written, in the report's directory.
const shrunkFile = "shrunk.json"

// runShrink plays parts of a failed run's schedule again, and keeps a short one
// that still fails.
func (c command) runShrink(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("shrink", flag.ContinueOnError)
	flags.SetOutput(c.stderr)
	tries := flags.Int("tries", 12, "runs at most")
	program := flags.String("program", "", "the proxy's binary; default: as for run")
	if err := flags.Parse(args); err != nil {
		return misuse("%v", err)
	}
	if flags.NArg() != 1 || *tries < 1 {
		return misuse("usage: events-chaos shrink [--tries N] [--program FILE] DIR")
	}
	dir := flags.Arg(0)
	o, steps, err := failedRun(dir)
	if err != nil {
		return err
	}
	ground, err := newGround(ctx, *program, o.nodes)
	if err != nil {
		return err
	}
	defer ground.close()
	played := 0
	short := random.Shrink(steps, *tries, func(part []random.Step) bool {
		if ctx.Err() != nil {
			return false
		}
		played++
		fails := c.stillFails(ctx, ground, o, part)
		fmt.Fprintf(c.stdout, "run %d: %d of %d harms: fails: %t\n", played, len(part), len(steps), fails)
		return fails
	})
	return c.keepShrunk(dir, o, steps, short)
}

// failedRun reads the run that a history records. Only one that the judge finds
// failed can be shrunk.
func failedRun(dir string) (o options, steps []random.Step, err error) {
	j, err := judged(dir)
	if err != nil {
		return o, nil, fmt.Errorf("%w: %w", errUnproved, err)
	}
	if j.Verdict != check.Fail {
		return o, nil, misuse("%s did not fail: %s", dir, j.Verdict)
	}
	text, err := os.ReadFile(filepath.Join(dir, "history.ndjson"))
	if err != nil {
		return o, nil, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	var run struct {
		Mode    string
		Seed    uint64
		Clients int
		Seconds float64
		Shared  bool
		Routed  bool
		Nodes   int
		Memory  int64
	}
	if err := json.Unmarshal([]byte(first), &run); err != nil {
		return o, nil, err
	}
	if run.Mode != "random" {
		return o, nil, misuse("%s is a run of scripts: shrink one by hand", dir)
	}
	steps, err = random.ReadSchedule(dir)
	mode := chaos.Dedicated
	switch {
	case run.Shared:
		mode = chaos.Shared
	case run.Routed:
		mode = chaos.Routed
	}
	return options{
		random: int(run.Seconds), clients: run.Clients, seed: run.Seed, mode: mode, nodes: max(1, run.Nodes), memory: run.Memory >> 20,
	}, steps, err
}

// stillFails plays a schedule on a broker and a proxy of its own.
func (c command) stillFails(ctx context.Context, ground *ground, o options, steps []random.Step) bool {
	quiet := command{stdout: io.Discard, stderr: io.Discard}
	verdict, _ := quiet.randomOn(ctx, ground, o, random.Options{
		Exchange: randomExchange, Clients: o.clients, For: steps[len(steps)-1].At + time.Second, Seed: o.seed,
		Schedule: steps, Memory: o.memory << 20, Log: io.Discard,
	}, "")
	return verdict == check.Fail
}

// keepShrunk writes the schedule, and prints how to play it.
func (c command) keepShrunk(dir string, o options, all, short []random.Step) error {
	text, err := json.MarshalIndent(short, "", "\t")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, shrunkFile)
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return err
	}
	further := ""
	if o.mode != chaos.Dedicated {
		further = " --" + string(o.mode)
	}
	if o.nodes > 1 {
		further += fmt.Sprint(" --nodes ", o.nodes)
	}
	fmt.Fprintf(c.stdout, "%d of %d harms are left: events-chaos run --random %d --clients %d%s --schedule %s\n",
		len(short), len(all), o.random, o.clients, further, file)
	return nil
}

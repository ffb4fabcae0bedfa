package script

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Params name the broker and the proxy that scripts are played on.
type Params struct {
	// Brokers makes the broker of each script.
	Brokers Brokers

	// Breakable are the Brokers of scripts that harm the node: on another node, so that those
	// that use Brokers are not disturbed. Default: Brokers, and no script beside them.
	Breakable Brokers

	// Proxy starts the proxy under test, when a script first needs it.
	Proxy func(Broker, Settings) (Proxy, error)

	// Settings are the proxy's, where a script asks for nothing else.
	Settings Settings

	// Observer is told what happens; default nothing.
	Observer Observer

	// Patience bounds each wait; default 10 s.
	Patience time.Duration
}

// DefaultPatience is how long a claim may take to come true.
const DefaultPatience = 30 * time.Second

// DefaultExchange is the topic exchange that every script finds declared.
const DefaultExchange = "exchange/tc/task"

type worldKey struct{}

// testScript returns testscript's parameters: the language and the scripts.
func (p Params) testScript(files []string) testscript.Params {
	if p.Patience == 0 {
		p.Patience = DefaultPatience
	}
	return testscript.Params{
		Files:              files,
		Setup:              p.setup,
		Cmds:               commands(),
		Condition:          p.condition,
		RequireUniqueNames: true,
	}
}

// setup makes the script's world, which ends with the script.
func (p Params) setup(env *testscript.Env) error {
	name := strings.TrimPrefix(lastElement(env.WorkDir), "script-")
	broker, err := p.Brokers.For(name)
	if err != nil {
		return fmt.Errorf("broker of %s: %w", name, err)
	}
	w := newWorld(p, name, broker)
	env.Values[worldKey{}] = w
	env.Defer(func() {
		if err := w.finish(); err != nil {
			env.T().Fatal(err)
		}
	})
	ctx, cancel := w.bounded()
	defer cancel()
	if err := w.declare(ctx, DefaultExchange, "topic"); err != nil {
		w.failure = err
		return err
	}
	return nil
}

// condition holds on the broker, or in the mode, that it names.
func (p Params) condition(name string) (bool, error) {
	switch name {
	case "memory", "rabbitmq":
		return name == p.Brokers.Name(), nil
	case "dedicated":
		return !p.Settings.ShareQueues && p.Settings.Routed == nil, nil
	case "shared":
		return p.Settings.ShareQueues, nil
	case "routed":
		return p.Settings.Routed != nil, nil
	}
	return false, fmt.Errorf("no condition is called %s", name)
}

func lastElement(path string) string {
	return path[strings.LastIndexByte(path, os.PathSeparator)+1:]
}

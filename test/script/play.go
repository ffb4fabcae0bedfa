package script

import (
	"bufio"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Play runs scripts, each as a subtest: those that leave their broker's node
// alone side by side, and the others one after another. Where the others have a node of
// their own (Breakable), they are played at the same time, else afterwards. On brokers that
// no two scripts share, all run side by side.
func Play(t testscript.T, p Params, files []string) {
	together, alone := files, []string(nil)
	if p.Brokers.Shared() {
		together, alone = split(t, files)
	}
	apart := p.Breakable != nil && len(alone) > 0
	group := func(name string, p Params, files []string, turn func(testscript.T) testscript.T) {
		if len(files) == 0 {
			return
		}
		t.Run(name, func(t testscript.T) {
			if apart {
				t.Parallel()
			}
			testscript.RunT(turn(t), p.testScript(files))
		})
	}
	group("together", p, together, func(t testscript.T) testscript.T { return t })
	if apart {
		p.Brokers = p.Breakable
	}
	group("alone", p, alone, func(t testscript.T) testscript.T { return inTurn{t} })
}

// split separates the scripts that need the node for themselves from the others.
func split(t testscript.T, files []string) (together, alone []string) {
	for _, file := range files {
		needs, err := needsNode(file)
		switch {
		case err != nil:
			t.Fatal(err)
		case needs:
			alone = append(alone, file)
		default:
			together = append(together, file)
		}
	}
	return together, alone
}

// needsNode looks for a line that befalls the whole node, or that no node of
// others can be told to do.
func needsNode(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) == 3 && words[0] == "broker" { // a node of a cluster
			return true, nil
		}
		if len(words) == 2 && words[0] == "broker" && strings.Contains(" stop kill freeze restart memory-alarm close-channels delete-queues ", " "+words[1]+" ") {
			return true, nil
		}
	}
	return false, nil
}

// inTurn is a T whose subtests do not run in parallel, though they ask for it.
type inTurn struct{ testscript.T }

// Parallel does nothing.
func (inTurn) Parallel() {}

// Run passes the property on.
func (t inTurn) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(inner testscript.T) { f(inTurn{inner}) })
}

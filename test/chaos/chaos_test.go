package chaos_test

import (
	"flag"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/chaos/leaks"
	"github.com/taskcluster/events-proxy/test/script"
)

// TestMain lets two scripts on the shared node run beside the one that has its node alone, unless
// -parallel has a number.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "3"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(rabbit.Main(m), leaks.OfToxiproxy()...)
}

// Every chaos script holds with a queue for each stream.
func TestChaosScripts(t *testing.T) { play(t, false) }

// And with shared queues.
func TestChaosScriptsWithSharedQueues(t *testing.T) { play(t, true) }

func play(t *testing.T, share bool) {
	binary, err := chaos.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	script.Play(script.T(t), script.Params{
		Brokers: chaos.Brokers{Node: rabbit.Run(t)}, Breakable: chaos.Brokers{Node: rabbit.RunNamed(t, "breakable")},
		Proxy: chaos.ForScripts(binary), Settings: script.Settings{ShareQueues: share},
	}, scripts(t))
}

func TestEveryScriptOpensWithItsClaim(t *testing.T) {
	for _, file := range scripts(t) {
		if _, err := script.Claim(file); err != nil {
			t.Error(err)
		}
	}
}

func scripts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("scripts/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatal("scripts are missing", len(files), err)
	}
	return files
}

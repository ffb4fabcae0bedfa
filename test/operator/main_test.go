package operator

import (
	"os"
	"testing"

	"github.com/taskcluster/events-proxy/test/browser"
)

var suite = browser.Suite{Artifacts: "../../artifacts/operator"}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

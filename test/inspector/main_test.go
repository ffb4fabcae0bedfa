package inspector

import (
	"os"
	"testing"

	"github.com/taskcluster/events-proxy/test/browser"
)

var suite = browser.Suite{
	Artifacts: "../../artifacts/inspector",

	// One rule misreads trees: it takes the text of an item's children for the
	// item's own label, which its name is not to repeat.
	Misread: `v.id === 'label-content-name-mismatch' && n.html.includes('role="treeitem"')`,
}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

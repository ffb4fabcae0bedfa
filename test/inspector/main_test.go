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
	Violations: `axe.run().then((result) => result.violations
		.map((v) => ({...v, nodes: v.nodes.filter((n) =>
			v.id !== 'label-content-name-mismatch' || !n.html.includes('role="treeitem"'))}))
		.filter((v) => v.nodes.length > 0)
		.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.html).slice(0, 3).join(' | ')))`,
}

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }

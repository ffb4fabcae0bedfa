package main

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// The table of metrics is what the binary exports, no more and no less.
func TestTheTableOfMetricsIsWhatIsExported(t *testing.T) {
	events := start(t, nil, "demo", "--port=0", "--operator=127.0.0.1:0")
	_, text := events.get(events.says(`operators on (\S+)`)[1] + "/metrics")
	exported := firstGroups(`(?m)^# TYPE (events_\w+) `, text)
	page, err := os.ReadFile("../../config/deploy/METRICS.md")
	must(t, err)
	table := firstGroups("(?m)^\\| `(\\w+)` \\|", string(page))
	for _, name := range exported {
		if !slices.Contains(table, name) {
			t.Errorf("%s is exported, and not in METRICS.md", name)
		}
	}
	for _, name := range table {
		if !slices.Contains(exported, name) {
			t.Errorf("%s is in METRICS.md, and not exported", name)
		}
	}
	if len(table) < 30 {
		t.Errorf("the table has %d lines", len(table))
	}
}

func firstGroups(pattern, text string) (names []string) {
	for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	return names
}

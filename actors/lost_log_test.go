package actors_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// A lost link is one line with the number of streams that ended with it, not a line for each.
func TestALostLinkIsOneLineWithTheNumberOfItsStreams(t *testing.T) {
	for _, m := range modes {
		synctest.Test(t, func(t *testing.T) {
			var log strings.Builder
			f := openOn(t, amqp.NewMemory(), func(o *actors.Options) {
				m.set(o)
				o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			})
			for i := range 30 {
				f.ready(task, fmt.Sprint("key.", i%3))
			}
			synctest.Wait()
			f.broker.DropLinks()
			synctest.Wait()
			var lines []string
			for line := range strings.Lines(log.String()) {
				if !strings.Contains(line, "broker link up") {
					lines = append(lines, line)
				}
			}
			if len(lines) != 1 || !strings.Contains(lines[0], `msg="broker link lost"`) || !strings.Contains(lines[0], " streams=30 ") {
				t.Errorf("%s: %s", m.name, strings.Join(lines, ""))
			}
		})
	}
}

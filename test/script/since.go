package script

import (
	"maps"

	"github.com/taskcluster/events-proxy/actors"
)

// since returns what has changed in a proxy since an earlier snapshot: counters as
// their difference, restarts likewise, and only the streams' actors that are new.
func since(before, now actors.Snapshot) actors.Snapshot {
	old := map[string]actors.Actor{}
	for _, a := range before.Actors {
		old[a.ID] = a
	}
	var list []actors.Actor
	for _, a := range now.Actors {
		was, there := old[a.ID]
		if there && a.Stream != "" {
			continue
		}
		if there {
			a.Restarts -= was.Restarts
		}
		list = append(list, a)
	}
	now.Actors = list
	s, b := &now.Stats, before.Stats
	s.Streams, s.Leases, s.Waiting, s.Workers = s.Streams-b.Streams, s.Leases-b.Leases, s.Waiting-b.Waiting, s.Workers-b.Workers
	s.Restarts, s.Failures = s.Restarts-b.Restarts, s.Failures-b.Failures
	s.Ended = maps.Clone(s.Ended)
	for code, n := range b.Ended {
		s.Ended[code] -= n
	}
	return now
}

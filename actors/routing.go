package actors

import (
	"path"
	"sync"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// routing knows which exchanges this process routes by itself: those that the operator lists, save
// the ones that a message has shown to be listed wrongly. Its methods may be called concurrently.
type routing struct {
	patterns []string

	mu    sync.RWMutex
	wrong map[string]bool
}

func newRouting(patterns []string) *routing {
	return &routing{patterns: patterns, wrong: map[string]bool{}}
}

// routes reports whether every binding is on an exchange that is routed here.
func (r *routing) routes(bindings []amqp.Binding) bool {
	if len(r.patterns) == 0 {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, b := range bindings {
		if r.wrong[b.Exchange] || !r.lists(b.Exchange) {
			return false
		}
	}
	return true
}

func (r *routing) lists(exchange string) bool {
	for _, pattern := range r.patterns {
		if ok, _ := path.Match(pattern, exchange); ok {
			return true
		}
	}
	return false
}

// distrust ends the routing of exchanges, as long as the process runs.
func (r *routing) distrust(exchanges []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, exchange := range exchanges {
		r.wrong[exchange] = true
	}
}

package access

import (
	"errors"
	"fmt"
	"strings"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// mostGrants bounds the work that one token makes.
const mostGrants = 1000

// Grant allows bindings of some exchanges. Exchange is the name of one, in which a segment * of the
// path stands for any one segment: exchange/taskcluster-queue/v1/* allows
// exchange/taskcluster-queue/v1/task-completed. Pattern is a pattern of routing keys as in a
// binding: it allows the bindings whose keys it matches, all of them.
//
// An exchange that is no topic and no direct exchange does not look at patterns: whoever may bind it
// may read all of it.
type Grant struct {
	Exchange string `json:"exchange"`
	Pattern  string `json:"routingKeyPattern"`
}

// Validate returns what is wrong with a grant, nil where nothing is. A star beside other characters
// of a segment is an error: it would be expected to match, and does not.
func (g Grant) Validate() error {
	for segment := range strings.SplitSeq(g.Exchange, "/") {
		if strings.Contains(segment, "*") && segment != "*" {
			return errors.New("exchange has a * beside other characters: it stands for one whole segment between slashes")
		}
	}
	return amqp.Binding(g).Validate()
}

// Covers reports whether a binding is allowed: whether its exchange is, and the routing keys that it
// asks for are among the grant's.
func (g Grant) Covers(b amqp.Binding) bool {
	return g.coversExchange(b.Exchange) && amqp.Binding{Exchange: b.Exchange, Pattern: g.Pattern}.Covers(b)
}

func (g Grant) coversExchange(exchange string) bool {
	segments := strings.Split(exchange, "/")
	i := 0
	for granted := range strings.SplitSeq(g.Exchange, "/") {
		if i == len(segments) || granted != "*" && granted != segments[i] {
			return false
		}
		i++
	}
	return i == len(segments)
}

// Grants are what a token allows.
type Grants []Grant

// Validate returns what is wrong with the first grant that is wrong, nil where none is.
func (grants Grants) Validate() error {
	if len(grants) > mostGrants {
		return fmt.Errorf("%d grants, at most %d are allowed", len(grants), mostGrants)
	}
	for i, g := range grants {
		if err := g.Validate(); err != nil {
			return fmt.Errorf("grants[%d]: %w", i, err)
		}
	}
	return nil
}

// Uncovered returns the first binding that no single grant covers; ok is false where each is covered.
func (grants Grants) Uncovered(bindings []amqp.Binding) (b amqp.Binding, ok bool) {
	for _, b := range bindings {
		if !grants.cover(b) {
			return b, true
		}
	}
	return amqp.Binding{}, false
}

func (grants Grants) cover(b amqp.Binding) bool {
	for _, g := range grants {
		if g.Covers(b) {
			return true
		}
	}
	return false
}

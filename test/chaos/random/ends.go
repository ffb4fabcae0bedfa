package random

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// ends are the streams that have ended, as the proxy numbers them. Each look asks for those after the
// last number: one that is aimed at is seen however many others end with it. The goroutine that
// watches touches them, and the run's own before there is one.
type ends struct {
	last  int64                  // the number of the last one
	codes map[string]actors.Code // by the id of the stream
	older map[string]actors.Code // those before

	lost   int64     // so many had left the proxy's list before they were read
	lostAt time.Time // for the last time
	failed error     // why the list could not be read at the last look
}

// enoughEnds is how many ends are kept at least, in a run that has more: far more than come while the
// sign of a harm is waited for.
const enoughEnds = 100_000

// take notes what was read of the list, now.
func (e *ends) take(list []actors.StreamEnd, now time.Time) {
	for _, end := range list {
		if gap := end.Number - e.last - 1; gap > 0 {
			e.lost, e.lostAt = e.lost+gap, now
		}
		if e.codes == nil || len(e.codes) == enoughEnds {
			e.older, e.codes = e.codes, map[string]actors.Code{}
		}
		e.last, e.codes[end.ID] = end.Number, end.Code
	}
}

// of returns the code with which a stream has ended.
func (e *ends) of(id string) (code actors.Code, ended bool) {
	if code, ended = e.codes[id]; !ended {
		code, ended = e.older[id]
	}
	return code, ended
}

// readEnds reads those that have come since the last look.
func (c *conductor) readEnds(ctx context.Context) {
	list, err := c.operator.ends(ctx, c.ends.last)
	c.ends.failed = err
	c.ends.take(list, time.Now())
}

// failureOf looks for the end of a stream in which an actor was made to fail. Each failure that the
// proxy counts is the sign of one harm: where streams share actors, two harms may meet in one end.
func (c *conductor) failureOf(id string, codes []actors.Code) faults.Sign {
	ended := c.endOf(id, codes)
	return func(ctx context.Context) (string, error) {
		sign, err := ended(ctx)
		if sign != "" && c.latest().Stats.Failures-c.first.Stats.Failures <= c.harms.crashesSeen() {
			return "", nil
		}
		return sign, err
	}
}

// endOf looks for a stream among those that have ended.
func (c *conductor) endOf(id string, codes []actors.Code) faults.Sign {
	return func(context.Context) (string, error) {
		switch code, ended := c.ends.of(id); {
		case !ended:
			return "", nil
		case slices.Contains(codes, code):
			return "the proxy's list of ends: " + string(code), nil
		default:
			return "", fmt.Errorf("the stream had ended with %s", code)
		}
	}
}

// whyNoEnd is why the end of a stream that was harmed was never seen.
func (c *conductor) whyNoEnd(l *life) string {
	for _, s := range c.latest().Streams {
		if s.ID == l.victim.ID {
			return "the stream is open still"
		}
	}
	_, ended := c.ends.of(l.victim.ID)
	switch e := &c.ends; {
	case ended:
		return "the stream has ended, and the proxy counts no failure that is not another harm's"
	case e.failed != nil:
		return fmt.Sprintf("the proxy's list of ends cannot be read: %v", e.failed)
	case e.lostAt.After(l.asked):
		return fmt.Sprintf("%d ends had left the proxy's list before they were read", e.lost)
	}
	return "the proxy lists the stream neither as open nor as ended"
}

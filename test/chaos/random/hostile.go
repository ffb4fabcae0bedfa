package random

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/http/sse"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/history"
)

// hostilePattern costs a broker seconds for each message of the exchange, where it is
// let through.
var hostilePattern = strings.Repeat("#.a.", 12) + "#"

// bindHostile asks for a stream whose binding would stall the exchange for all. It
// must be refused.
func (c *conductor) bindHostile(ctx context.Context, _ Victim) error {
	ctx, cancel := context.WithTimeout(ctx, operatorPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.connectURL(hostilePattern), nil)
	if err != nil {
		return err
	}
	answer, err := c.operator.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	const wanted = string(actors.InvalidBindings)
	told := toldBy(answer)
	if told != wanted && told != letIn { // such as that the broker is not there: nothing is decided
		return fmt.Errorf("it was told %s", told)
	}
	c.history.Add(history.Told{Wanted: wanted, Told: told})
	c.book.tried(refusal)
	if told == letIn {
		c.book.violate(refusal, "a client that asks for it is told %s, not %s", told, wanted)
		return errors.New("a binding that stalls the exchange is not refused")
	}
	return nil
}

// letIn is the event of a stream that is not refused.
const letIn = "ready"

// toldBy returns the code with which an answer refuses a stream; letIn where it does
// not, and what else it is where it decides nothing.
func toldBy(answer *http.Response) string {
	var told struct{ Code string }
	if kind := answer.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&told); err == nil && told.Code != "" {
			return told.Code
		}
		return answer.Status
	}
	for frames := sse.NewDecoder(answer.Body); ; {
		event, err := frames.Next()
		switch {
		case err != nil:
			return err.Error()
		case event.Name == letIn:
			return event.Name
		case event.Name == "error":
			if json.Unmarshal([]byte(event.Data), &told) == nil && told.Code != "" {
				return told.Code
			}
			return event.Data
		}
	}
}

// refusedBinding is the proxy's own sign: it counts one more wrong request.
func (c *conductor) refusedBinding(ctx context.Context) (faults.Sign, error) {
	before, err := c.operator.vitals(ctx)
	return func(ctx context.Context) (string, error) {
		now, err := c.operator.vitals(ctx)
		if n := now.wrongRequests - before.wrongRequests; n > 0 {
			return fmt.Sprintf("the proxy counts %.0f requests told InvalidBindings", n), nil
		}
		return "", err
	}, err
}

package random

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// hostilePattern costs a broker seconds for each message of the exchange, where it is
// let through.
var hostilePattern = strings.Repeat("#.a.", 12) + "#"

// bindHostile asks for a stream whose binding would stall the exchange for all. It
// must be refused.
func (c *conductor) bindHostile(ctx context.Context, _ Victim) error {
	bindings, _ := json.Marshal(map[string]any{
		"bindings": []map[string]string{{"exchange": c.options.Exchange, "routingKeyPattern": hostilePattern}},
	})
	ctx, cancel := context.WithTimeout(ctx, operatorPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.options.Proxy+"/api/events/v1/connect/?bindings="+url.QueryEscape(string(bindings)), nil)
	if err != nil {
		return err
	}
	answer, err := c.operator.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if !strings.Contains(string(said), string(actors.InvalidBindings)) {
		return errors.Join(fmt.Errorf("a binding that stalls the exchange is not refused: %d %.200s", answer.StatusCode, said), err)
	}
	return nil
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

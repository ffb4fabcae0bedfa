package random

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/http/sse"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// How long a frozen call takes to show: the proxy gives an AMQP call ten seconds.
const (
	frozenTold  = 25 * time.Second
	frozenSign  = 20 * time.Second
	frozenEvery = time.Minute
)

// stranger is a client beside the run's, whose queue is never bound: the call vanishes.
// It must be told, and no other stream may notice.
type stranger struct {
	mu     sync.Mutex
	number int
	lacks  error // nil: it was told
	under  sync.WaitGroup
}

func (c *conductor) frozenCall() Harm {
	return Harm{
		Name: "frozen call", Does: "a call to the broker is never answered", Every: frozenEvery, Quiet: frozenSign, SignPatience: frozenSign, Scope: NoStream,
		Watch: c.linkRetired, Do: c.freezeCall,
		Over: func(context.Context, time.Time) error {
			c.stranger.mu.Lock()
			defer c.stranger.mu.Unlock()
			return c.stranger.lacks
		},
	}
}

// linkRetired is the proxy's own sign: it has taken a link out of use.
func (c *conductor) linkRetired(context.Context) (faults.Sign, error) {
	before := c.latest().Stats.LinksRetired
	return func(context.Context) (string, error) {
		if n := c.latest().Stats.LinksRetired - before; n > 0 {
			return fmt.Sprintf("the proxy counts %d links retired", n), nil
		}
		return "", nil
	}, nil
}

// freezeCall opens the stranger's stream, and has its binding swallowed.
func (c *conductor) freezeCall(ctx context.Context, _ Victim) error {
	s := &c.stranger
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	word := fmt.Sprintf("frozen.%d.call", s.number)
	s.lacks = errors.New("the stream whose binding is not answered has not been told so")
	c.options.Swallow(word)
	s.under.Go(func() { // ends with the stream, or with the run
		told := c.strange(ctx, word)
		c.options.Swallow("")
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lacks = told
	})
	return nil
}

// strange returns nil when a stream with this pattern is told that it may come again.
func (c *conductor) strange(ctx context.Context, pattern string) error {
	ctx, cancel := context.WithTimeout(ctx, frozenTold)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.connectURL(pattern), nil)
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK { // it may come again, too
		return nil
	}
	return toldToComeAgain(answer.Body)
}

func toldToComeAgain(body io.Reader) error {
	for frames := sse.NewDecoder(body); ; {
		event, err := frames.Next()
		switch {
		case err != nil:
			return fmt.Errorf("the stream whose binding is not answered was not told: %w", err)
		case event.Name == "ready":
			return errors.New("a stream whose binding is not answered is told that it is ready")
		case event.Name != "error":
			continue
		}
		var told struct {
			Code      actors.Code
			Retryable bool
		}
		if err := json.Unmarshal([]byte(event.Data), &told); err != nil || !told.Retryable {
			return fmt.Errorf("the stream whose binding is not answered was told %s", event.Data)
		}
		return nil
	}
}

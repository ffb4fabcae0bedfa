package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

const noManagement = "no management URL is given (--management http://user:password@host:15672)"

// inquire asks the broker's management plugin.
func (v *visit) inquire(ctx context.Context, into any, path ...string) error {
	u, err := url.Parse(v.options.Management)
	if err != nil || u.Host == "" {
		return errors.New("the management URL is not of the form http://user:password@host:15672")
	}
	for i, part := range path {
		path[i] = url.PathEscape(part)
	}
	user := u.User
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	ctx, cancel := context.WithTimeout(ctx, v.options.Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(u.String(), "/")+"/api/"+strings.Join(path, "/"), nil)
	if err != nil {
		return err
	}
	if password, _ := user.Password(); user != nil {
		request.SetBasicAuth(user.Username(), password)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Do(request)
	var failed *url.Error
	switch {
	case errors.As(err, &failed):
		return failed.Err
	case err != nil:
		return err
	}
	defer r.Body.Close()
	switch r.StatusCode {
	case http.StatusOK:
		return json.NewDecoder(r.Body).Decode(into)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("the management plugin answers %s: its user needs the tag monitoring or management", r.Status)
	case http.StatusNotFound:
		return errNotThere
	}
	return fmt.Errorf("the management plugin answers %s", r.Status)
}

var errNotThere = errors.New("it is not there")

// dropping are the keys of policies that make a queue lose messages without a word to its consumer,
// or lose the queue itself.
var dropping = []string{"max-length", "max-length-bytes", "message-ttl", "expires"}

// brokerPolicies makes a queue as a stream does and asks which policies hold for it.
func (v *visit) brokerPolicies(ctx context.Context) Finding {
	if v.options.Management == "" {
		return skip(noManagement)
	}
	channel, err := v.link.Channel()
	if err != nil {
		return skip("%s", reason(err))
	}
	defer channel.Close()
	queue := amqp.QueueName(v.options.Config.Pulse.Namespace)
	if err := channel.Declare(queue, amqp.QueueLimits{}); err != nil {
		return skip("%s", reason(err))
	}
	defer v.remove(queue)
	seen, err := v.policiesOf(ctx, queue)
	if err != nil {
		return fail("correct the management URL, or its user's rights", "%s", plain(err))
	}
	var bad []string
	for _, key := range dropping {
		if value, set := (*seen.Effect)[key]; set && !harmless(key, value) {
			bad = append(bad, fmt.Sprintf("%s = %v", key, value))
		}
	}
	if len(bad) > 0 {
		return fail("have the policy's pattern leave out "+amqp.QueuePrefix(v.options.Config.Pulse.Namespace)+", or its limits raised",
			"a policy (%s) drops messages of streams: %s", strings.Trim(seen.Policy+" "+seen.Operator, " "), strings.Join(bad, ", "))
	}
	return pass("none holds for %s*", amqp.QueuePrefix(v.options.Config.Pulse.Namespace))
}

// policies are what the management plugin says of a queue.
type policies struct {
	Policy   string          `json:"policy"`
	Operator string          `json:"operator_policy"`
	Effect   *map[string]any `json:"effective_policy_definition"` // nil before the queue's first statistics
}

// statistics is how long the plugin may take to know a new queue: it is told every five seconds.
const statistics = 20 * time.Second

func (v *visit) policiesOf(ctx context.Context, queue string) (seen policies, err error) {
	ctx, cancel := context.WithTimeout(ctx, statistics)
	defer cancel()
	for {
		if err = v.inquire(ctx, &seen, "queues", v.options.Broker.VHost(), queue); err != nil || seen.Effect != nil {
			return seen, err
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return seen, errors.New("the management plugin has no statistics of a new queue: are they turned off?")
		}
	}
}

// harmless reports whether a limit is no stricter than what the proxy asks for itself.
func harmless(key string, value any) bool {
	n, isNumber := value.(float64)
	switch {
	case !isNumber:
		return false
	case key == "max-length":
		return n >= amqp.DefaultMaxLength
	case key == "expires":
		return n >= 60_000 // it counts only without a consumer
	}
	return false
}

// brokerKinds compares what is asked for with the kinds of the exchanges.
func (v *visit) brokerKinds(ctx context.Context) Finding {
	switch {
	case v.options.Management == "":
		return skip(noManagement)
	case len(v.options.Bindings) == 0:
		return skip(noBinding)
	}
	var told, bad []string
	for _, b := range v.options.Bindings {
		var exchange struct{ Type string }
		err := v.inquire(ctx, &exchange, "exchanges", v.options.Broker.VHost(), b.Exchange)
		switch {
		case errors.Is(err, errNotThere):
			told = append(told, b.Exchange+" is not there")
		case err != nil:
			return fail("correct the management URL, or its user's rights", "%s", plain(err))
		case unfit(exchange.Type, b.Pattern) != "":
			bad = append(bad, b.Exchange+" is "+unfit(exchange.Type, b.Pattern))
		default:
			told = append(told, b.Exchange+": "+exchange.Type)
		}
	}
	if len(bad) > 0 {
		return fail("ask for what an exchange of that kind offers", "%s", strings.Join(bad, "; "))
	}
	return pass("%s", strings.Join(told, ", "))
}

// unfit returns why a pattern matches nothing on an exchange of a kind; "" if it may.
func unfit(kind, pattern string) string {
	switch {
	case kind == "direct" && strings.ContainsAny(pattern, "*#"):
		return "a direct exchange: there a pattern is compared letter by letter with the routing key, and " + pattern + " is a key that no message has"
	case kind == "headers":
		return "a headers exchange: there no pattern matches, headers do"
	}
	return ""
}

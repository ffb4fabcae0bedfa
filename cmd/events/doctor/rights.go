package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// brokerQueue makes a queue as a stream does, and reads it.
func (v *visit) brokerQueue(context.Context) Finding {
	channel, err := v.link.Channel()
	if err != nil {
		return fail("raise the user's limit of channels", "no channel can be opened: %s", reason(err))
	}
	defer channel.Close()
	queue := amqp.QueueName(v.options.Config.Pulse.Namespace)
	if err := channel.Declare(queue, amqp.QueueLimits{}); err != nil {
		if codeOf(err) == amqp.AccessRefused {
			return fail("give the user the right to configure, write and read "+amqp.QueuePrefix(v.options.Config.Pulse.Namespace)+"*, or set PULSE_NAMESPACE to the user's",
				"the user may not make queues there: %s", reason(err))
		}
		return fail("raise the limits of the virtual host", "a queue cannot be made: %s", reason(err))
	}
	defer v.remove(queue)
	if err := channel.Consume(queue, 1); err != nil {
		return fail("give the user the right to read "+amqp.QueuePrefix(v.options.Config.Pulse.Namespace)+"*", "the user may not read its own queues: %s", reason(err))
	}
	return pass("%s*", amqp.QueuePrefix(v.options.Config.Pulse.Namespace))
}

// remove deletes a queue over a channel of its own: the one that made it may have ended.
func (v *visit) remove(queue string) {
	if channel, err := v.link.Channel(); err == nil {
		_ = channel.Delete(queue) // it is auto-delete and expires
		channel.Close()
	}
}

const noBinding = "nothing is asked for (--binding exchange:pattern)"

// brokerExchange binds what is asked for, each on a channel of its own: a refusal ends that.
func (v *visit) brokerExchange(ctx context.Context) Finding {
	if len(v.options.Bindings) == 0 {
		return skip(noBinding)
	}
	var bad, good []string
	mend := ""
	for _, binding := range v.options.Bindings {
		if ctx.Err() != nil {
			return skip("interrupted")
		}
		why, do := v.bind(binding)
		if why == "" {
			good = append(good, binding.Exchange)
			continue
		}
		bad, mend = append(bad, why), do
	}
	if len(bad) > 0 {
		return fail(mend, "%s", strings.Join(bad, "; "))
	}
	return pass("%s", strings.Join(good, ", "))
}

// bind returns why a binding is not to be had, and what to do about it; "" if it is.
func (v *visit) bind(b amqp.Binding) (why, mend string) {
	channel, err := v.link.Channel()
	if err != nil {
		return reason(err), "raise the user's limit of channels"
	}
	defer channel.Close()
	queue := amqp.QueueName(v.options.Config.Pulse.Namespace)
	if err := channel.Declare(queue, amqp.QueueLimits{}); err != nil {
		return reason(err), "see broker.queue"
	}
	defer v.remove(queue)
	err = channel.Bind(queue, b)
	switch {
	case err == nil:
		return "", ""
	case codeOf(err) == amqp.NotFound:
		return fmt.Sprintf("the exchange %q is not there, in the virtual host %q", b.Exchange, v.options.Broker.VHost()), "correct the exchange's name or the virtual host; publishers make exchanges, the proxy does not"
	case codeOf(err) == amqp.AccessRefused:
		return fmt.Sprintf("the exchange %q cannot be bound: %s", b.Exchange, reason(err)), "give the user the right to read the exchange, and to write its queues"
	}
	return fmt.Sprintf("the exchange %q cannot be bound: %s", b.Exchange, reason(err)), "look at the broker's log"
}

func codeOf(err error) int {
	var e *amqp.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// reason returns the broker's own words.
func reason(err error) string {
	var e *amqp.Error
	if errors.As(err, &e) && e.Cause != nil {
		err = e.Cause
	}
	return plain(err)
}

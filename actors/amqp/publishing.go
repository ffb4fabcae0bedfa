package amqp

// kinds are the exchanges that Publisher.Declare makes. Another kind would end the link.
var kinds = map[string]bool{"topic": true, "direct": true, "fanout": true}

// checkExchange returns a refusal of an exchange that must not reach a broker, else nil.
func checkExchange(op, exchange, kind string) error {
	if err := validShortString(exchange); err != nil {
		return refusal(FrameError, op, exchange, "exchange %w", err)
	}
	if !kinds[kind] {
		return refusal(CommandInvalid, op, exchange, "unknown exchange type '%s'", kind)
	}
	return nil
}

// checkRoute returns a refusal of a route that must not reach a broker, else nil.
func checkRoute(exchange, routingKey string) error {
	if err := validShortString(exchange); err != nil {
		return refusal(FrameError, "publish", exchange, "exchange %w", err)
	}
	if err := validShortString(routingKey); err != nil {
		return refusal(FrameError, "publish", exchange, "routing key %w", err)
	}
	return nil
}

// anyList returns a list that a header table can hold.
func anyList(values []string) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}

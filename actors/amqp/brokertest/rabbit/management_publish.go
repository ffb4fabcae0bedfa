package rabbit

import (
	"context"
	"fmt"
	"net/http"
)

// Publish puts a message with these headers into an exchange, through the plugin: unlike an AMQP
// client it sends headers of any size. It fails where the message is routed to no queue.
func (m *Management) Publish(ctx context.Context, vhost, exchange, routingKey string, headers map[string]any, body string) error {
	var answer struct {
		Routed bool `json:"routed"`
	}
	err := m.ask(ctx, http.MethodPost, below("exchanges/", vhost, exchange)+"/publish", map[string]any{
		"properties": map[string]any{"headers": headers}, "routing_key": routingKey,
		"payload": body, "payload_encoding": "string",
	}, &answer)
	if err == nil && !answer.Routed {
		err = fmt.Errorf("rabbit: management: %q was routed to no queue", routingKey)
	}
	return err
}

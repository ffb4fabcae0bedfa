package faults

import (
	"context"
	"fmt"
	"strings"
)

// WideHeaders publishes a message whose headers are wider than a frame may be, as only
// protocols beside AMQP can send them: the broker passes them on in one frame. It is over
// at once; the message must arrive.
func WideHeaders(exchange, key, body string) Fault {
	headers := map[string]any{"x": strings.Repeat("x", wideHeader)}
	return Fault{"wide-headers", func(ctx context.Context, s Site) error {
		return s.VHost.Publish(ctx, exchange, key, headers, body)
	}, wideFrame}
}

// wideHeader is larger than RabbitMQ's frames, of 128 KiB.
const wideHeader = 200 << 10

// wideFrame is a sign that the broker has sent a frame that is wider than negotiated.
func wideFrame(_ context.Context, s Site) (Sign, error) {
	before := s.Calls.WideFrames()
	return func(context.Context) (string, error) {
		if n := s.Calls.WideFrames() - before; n > 0 {
			return fmt.Sprintf("%d frames wider than frame_max have passed on the way to the proxy", n), nil
		}
		return "", nil
	}, nil
}

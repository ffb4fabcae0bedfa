package actors

import (
	"fmt"
	"runtime/debug"
)

// A host's hooks at a stream's start and end. No actor waits for one.

// prepareHooks is called before the stream is admitted.
func (c *core) prepareHooks(s *Stream) {
	if c.options.OnEnd != nil {
		s.opened = make(chan struct{})
	}
}

// streamOpened calls OnOpen. Where that panics, the stream is closed and the panic goes on to
// Connect's caller.
func (c *core) streamOpened(s *Stream) {
	returned := false
	defer func() {
		if s.opened != nil {
			close(s.opened)
		}
		if !returned {
			s.Close()
		}
	}()
	if c.options.OnOpen != nil {
		if ctx := c.options.OnOpen(s.context, s.State()); ctx != nil {
			s.setContext(ctx)
		}
	}
	returned = true
}

// streamEnded calls OnEnd, after OnOpen.
func (c *core) streamEnded(s *Stream, end StreamEnd) {
	if c.options.OnEnd == nil {
		return
	}
	c.work.Add(1)
	go func() { // ends with the hook
		defer c.work.Done()
		<-s.opened
		ctx := s.Context()
		defer func() {
			if v := recover(); v != nil {
				c.log.ErrorContext(ctx, "panic", "hook", "OnEnd", "stream", s.id, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			}
		}()
		c.options.OnEnd(ctx, end)
	}()
}

package httpapi

import (
	"fmt"
	"slices"
	"time"
)

// Policy is the part of the Options that may change while a Handler serves.
type Policy struct {
	AllowOrigins  []string
	WriteDeadline time.Duration // zero: the default
	OperatorHosts []string
	OperatorToken string
}

// Policy returns what is in effect, to be changed and passed to SetPolicy. It may
// be called concurrently.
func (h *Handler) Policy() Policy {
	p := *h.policy.Load()
	p.AllowOrigins, p.OperatorHosts = slices.Clone(p.AllowOrigins), slices.Clone(p.OperatorHosts)
	return p
}

// SetPolicy replaces the whole policy: its lists and its token for the requests to
// come, WriteDeadline for the writes to come, also to streams that are open. It
// returns an error that names every problem, and changes nothing then. It may be
// called concurrently.
func (h *Handler) SetPolicy(p Policy) error {
	o := h.options.with(p)
	if err := o.Validate(); err != nil {
		return fmt.Errorf("httpapi: %w", err)
	}
	h.use(o.withDefaults().policy())
	return nil
}

// use puts a policy into effect.
func (h *Handler) use(p Policy) {
	origins := newCORS(h.options.RootURL, p.AllowOrigins)
	h.origins.Store(&origins)
	h.outlets.deadline.Store(int64(p.WriteDeadline))
	h.policy.Store(&p)
}

func (o Options) policy() Policy {
	return Policy{o.AllowOrigins, o.WriteDeadline, o.OperatorHosts, o.OperatorToken}
}

// with returns the options under another policy.
func (o Options) with(p Policy) Options {
	o.AllowOrigins, o.WriteDeadline, o.OperatorHosts, o.OperatorToken = p.AllowOrigins, p.WriteDeadline, p.OperatorHosts, p.OperatorToken
	return o
}

package actors

import "fmt"

// Policy is the part of the Options that may change while a System runs: whom it serves, and how
// much. Zero limits stand for the defaults, as in Options.
type Policy struct {
	AllowExchanges []string
	Limits         Limits
}

// SetPolicy replaces AllowExchanges and Limits of a running System. It returns an error that names
// every problem, and changes nothing then. It may be called concurrently, and returns at once.
//
// Streams that are open are not touched: they keep what they were opened with, save MessageBytes,
// which holds for every message from now on. Where more are open than the new limits allow, no new
// one is admitted until enough have ended. Declares and ChannelsPerLink belong to the links and stay
// as they are.
func (s *System) SetPolicy(p Policy) error {
	o := s.options.with(p).withDefaults()
	o.Limits.Declares, o.Limits.ChannelsPerLink = s.options.Limits.Declares, s.options.Limits.ChannelsPerLink
	if err := o.validate(); err != nil {
		return fmt.Errorf("actors: %w", err)
	}
	s.policy.Store(o.policy())
	return nil
}

func (o Options) policy() *Policy { return &Policy{o.AllowExchanges, o.Limits} }

// with returns the options under another policy.
func (o Options) with(p Policy) Options {
	o.AllowExchanges, o.Limits = p.AllowExchanges, p.Limits
	return o
}

// limits returns the limits that hold now. They are shared and not to be changed.
func (c *core) limits() *Limits { return &c.policy.Load().Limits }

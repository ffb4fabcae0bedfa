package actors

// Policy is the part of the Options that may change while a System runs: whom it serves, and how
// much. Zero limits stand for the defaults, as in Options.
type Policy struct {
	AllowExchanges []string
	Limits         Limits
}

func (o Options) policy() *Policy { return &Policy{o.AllowExchanges, o.Limits} }

// with returns the options under another policy.
func (o Options) with(p Policy) Options {
	o.AllowExchanges, o.Limits = p.AllowExchanges, p.Limits
	return o
}

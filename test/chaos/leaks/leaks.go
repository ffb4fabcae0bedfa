// Package leaks names what a library leaves behind in the tests that use the fault proxy.
package leaks

import "go.uber.org/goleak"

// OfToxiproxy returns what goleak is to overlook in a package whose tests harm connections with
// toxiproxy: it leaves goroutines of its own behind where a toxic is taken off under load.
func OfToxiproxy() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).read"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run"),
		goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2.(*ToxicLink).write"),
	}
}

package httpapi

import "github.com/prometheus/client_golang/prometheus"

// collector is several collectors as one.
type collector []prometheus.Collector

// Describe sends the descriptions of all.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, each := range c {
		each.Describe(out)
	}
}

// Collect sends the metrics of all.
func (c collector) Collect(out chan<- prometheus.Metric) {
	for _, each := range c {
		each.Collect(out)
	}
}

// Collector returns the metrics of the handler and its System, without those of the Go runtime and the
// process: for the registry of a program that has one. Their names start with events_; where one
// registry holds several handlers, [prometheus.WrapRegistererWith] gives each a label of its own.
func (h *Handler) Collector() prometheus.Collector { return h.metrics.exported }

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

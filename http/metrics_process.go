package httpapi

import "github.com/prometheus/client_golang/prometheus"

// exportProcess exports the facts of the process: what it was built from, and how many lines its
// log has dropped.
func (m *metrics) exportProcess(v Version, droppedLogLines func() int64) {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "events_build_info", Help: "Always 1; the labels are what the program was built from.",
		ConstLabels: prometheus.Labels{"version": v.Version, "commit": v.Commit, "goversion": v.Build},
	})
	build.Set(1)
	dropped := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "events_log_dropped_lines_total", Help: "Log lines that could not be written.",
	}, func() float64 { return float64(droppedLogLines()) })
	m.registry.MustRegister(build, dropped)
}

package httpapi

import "github.com/prometheus/client_golang/prometheus"

// The facts of the process.

// buildInfo exports what the program was built from.
func buildInfo(v Version) prometheus.Collector {
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "events_build_info", Help: "Always 1; the labels are what the program was built from.",
		ConstLabels: prometheus.Labels{"version": v.Version, "commit": v.Commit, "goversion": v.Build},
	})
	build.Set(1)
	return build
}

// droppedLines exports how many lines the process' log has dropped.
func droppedLines(count func() int64) prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "events_log_dropped_lines_total", Help: "Log lines that could not be written.",
	}, func() float64 { return float64(count()) })
}

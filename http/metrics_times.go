package httpapi

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// times are the histograms of how long things take for a client, in seconds. Their methods may be
// called concurrently.
type times struct {
	readies   prometheus.Histogram
	delays    prometheus.Histogram
	lifetimes prometheus.Histogram
}

func newTimes() times {
	return times{
		readies: histogram("events_stream_ready_seconds", "Time from a stream's request to its ready event.",
			.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10),
		delays: histogram("events_message_delay_seconds", "Time from a message's receipt from the broker to the end of its write, of the first message of each write.",
			.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30),
		lifetimes: histogram("events_stream_lifetime_seconds", "Time from a stream's start to its end.",
			1, 10, 60, 300, 1800, 2*3600, 8*3600, 24*3600),
	}
}

func histogram(name, help string, buckets ...float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

func (t times) ready(took time.Duration) { t.readies.Observe(took.Seconds()) }

// delivered times a message of that age; 0 stands for one that no broker has sent.
func (t times) delivered(age time.Duration) {
	if age > 0 {
		t.delays.Observe(age.Seconds())
	}
}
func (t times) ended(age time.Duration) { t.lifetimes.Observe(age.Seconds()) }

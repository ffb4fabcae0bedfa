package httpapi

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/taskcluster/events-proxy/actors"
)

// metrics counts what this package does and exports what the System counts. The
// registry is the handler's own: several handlers live in one process. Its
// methods may be called concurrently.
type metrics struct {
	registry *prometheus.Registry // of the collector, the Go runtime and the process
	exported collector

	streams  *prometheus.GaugeVec   // by protocol
	answers  *prometheus.CounterVec // by status
	refusals *prometheus.CounterVec // by code
	cuts     *prometheus.CounterVec // by code, and whether the client was told
	panics   prometheus.Counter
	stops    prometheus.Counter // requests of clients that reconnect by themselves

	acceptFailures prometheus.Counter

	bytes, frames prometheus.Counter
	writes        prometheus.Histogram // seconds; its count is the number of batches

	times
}

func newMetrics(system *actors.System, v Version, droppedLogLines func() int64) *metrics {
	m := &metrics{
		streams:        prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "events_http_streams", Help: "Event streams open now."}, []string{"protocol"}),
		answers:        counters("events_http_answers_total", "Requests answered.", "status"),
		refusals:       counters("events_http_refusals_total", "Requests refused, as a status or as a stream's only event.", "code"),
		cuts:           counters("events_http_cut_streams_total", "Streams cut because a write missed its deadline.", "code", "told"),
		panics:         counter("events_http_panics_total", "Panics recovered while answering."),
		stops:          counter("events_http_stops_total", "Requests of clients that reconnect by themselves: they are told to stop (204)."),
		acceptFailures: counter("events_http_accept_failures_total", "Connections that could not be accepted."),
		bytes:          counter("events_http_written_bytes_total", "Bytes written to streams."),
		frames:         counter("events_http_written_frames_total", "Frames written to streams, heads included."),
		writes: histogram("events_http_write_seconds", "Time of one batch's write.",
			.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10),
		times: newTimes(),
	}
	m.startAtZero()
	m.exported = collector{
		m.streams, m.answers, m.refusals, m.cuts, m.panics, m.stops, m.acceptFailures, m.bytes, m.frames, m.writes,
		m.readies, m.delays, m.lifetimes, systemCollector{system}, buildInfo(v), droppedLines(droppedLogLines),
	}
	m.registry = prometheus.NewRegistry()
	m.registry.MustRegister(m.exported, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// startAtZero makes the labelled counters exist before they count: increase() of a
// counter that appears with 1 is 0, and the first of its kind would be missed.
func (m *metrics) startAtZero() {
	for _, protocol := range []string{protocolHTTP1, protocolHTTP2} {
		m.streams.WithLabelValues(protocol)
	}
	for _, code := range actors.Codes {
		m.refusals.WithLabelValues(string(code))
		for _, told := range []string{"true", "false"} {
			m.cuts.WithLabelValues(string(code), told)
		}
	}
	m.answers.WithLabelValues(strconv.Itoa(http.StatusOK))
	m.answers.WithLabelValues(strconv.Itoa(http.StatusNoContent))
	for code, s := range statuses {
		m.refusals.WithLabelValues(string(code))
		m.answers.WithLabelValues(strconv.Itoa(s.status))
	}
	m.answers.WithLabelValues(strconv.Itoa(http.StatusInternalServerError))
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) opened(protocol string)   { m.streams.WithLabelValues(protocol).Inc() }
func (m *metrics) closed(protocol string)   { m.streams.WithLabelValues(protocol).Dec() }
func (m *metrics) refused(code actors.Code) { m.refusals.WithLabelValues(string(code)).Inc() }

func (m *metrics) answered(status int) {
	if status == 0 {
		status = http.StatusOK // net/http's
	}
	m.answers.WithLabelValues(strconv.Itoa(status)).Inc()
}

func (m *metrics) cut(code actors.Code, told bool) {
	m.cuts.WithLabelValues(string(code), strconv.FormatBool(told)).Inc()
}

// wrote counts one batch.
func (m *metrics) wrote(bytes, frames int, took time.Duration) {
	m.bytes.Add(float64(bytes))
	m.frames.Add(float64(frames))
	m.writes.Observe(took.Seconds())
}

// systemCollector exports the counters of a System, as they are when it is asked.
type systemCollector struct{ system *actors.System }

// Describe sends what Collect sends, and what it sends only where a link is up.
func (c systemCollector) Describe(out chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, out)
	out <- linkChannels
}

var linkChannels = prometheus.NewDesc("events_link_channels", "Channels leased to streams now, by the address of the broker.", []string{"address"}, nil)

// Collect sends the System's counters.
func (c systemCollector) Collect(out chan<- prometheus.Metric) {
	s := c.system.Stats()
	send := func(kind prometheus.ValueType, name, help string, value int64, labels ...string) {
		var names, values []string
		if len(labels) == 2 {
			names, values = labels[:1], labels[1:]
		}
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, float64(value), values...)
	}
	gauge := func(name, help string, value int64) { send(prometheus.GaugeValue, name, help, value) }
	count := func(name, help string, value int64, labels ...string) {
		send(prometheus.CounterValue, name, help, value, labels...)
	}
	gauge("events_streams", "Streams open now.", s.Streams)
	gauge("events_links", "AMQP connections up now.", s.Links)
	for address, n := range leasesByAddress(c.system.Links()) {
		out <- prometheus.MustNewConstMetric(linkChannels, prometheus.GaugeValue, float64(n), address)
	}
	for address, n := range s.MessagesFrom {
		send(prometheus.CounterValue, "events_link_messages_total", "Deliveries taken from the broker, by its address.", n, "address", address)
	}
	gauge("events_links_watched", "AMQP connections that hear canaries: whether their node hears the others of its cluster is known.", s.LinksWatched)
	gauge("events_nodes_blind", "Nodes of the broker that have connections and do not hear the others now.", s.NodesBlind)
	gauge("events_channels", "AMQP channels held by streams now.", s.Workers)
	gauge("events_streams_waiting", "Streams that wait for a channel now.", s.Waiting)
	gauge("events_feeds", "Shared queues now.", s.Feeds)
	gauge("events_feed_streams", "Streams attached to shared queues now.", s.FeedStreams)
	gauge("events_routed_streams", "Streams of the routed queue that are ready now.", s.Routed)
	gauge("events_routed_patterns", "Distinct patterns by which messages are routed now.", s.Patterns)
	count("events_routed_matches_total", "Messages handed to routed streams, counted once for each.", s.Matches)
	count("events_routed_unwanted_total", "Deliveries to the routed queue that no stream wanted.", s.Unwanted)
	count("events_misrouted_total", "Times that a message has shown the list of routed exchanges to be wrong.", s.Misrouted)
	count("events_streams_opened_total", "Streams admitted.", s.Opened)
	for code, n := range fromZero(s.Ended, append(slices.Clone(actors.Codes), actors.ClientGone)...) {
		count("events_streams_ended_total", "Streams ended.", n, "code", string(code))
	}
	for code, n := range fromZero(s.Refused, actors.Draining, actors.AtCapacity, actors.TooManyStreams, actors.TooManyConnects) {
		count("events_streams_refused_total", "Streams refused before their head.", n, "code", string(code))
	}
	count("events_streams_moved_total", "Streams ended so that their clients come to another node of the broker.", s.Moved)
	count("events_dials_total", "Tries to reach the broker.", s.Dials)
	count("events_dials_failed_total", "Tries to reach the broker that failed.", s.DialsFailed)
	count("events_links_lost_total", "AMQP connections lost.", s.LinksLost)
	count("events_links_retired_total", "AMQP connections taken out of use because a call was not answered.", s.LinksRetired)
	count("events_scouts_total", "Exchanges and channels tried on a link without streams.", s.Scouts)
	count("events_rebinds_untried_total", "Exchanges whose bindings were repeated although no scout could try them before.", s.RebindsUntried)
	count("events_rebinds_skipped_total", "Times that a queue's bindings were not repeated, as a scout had no answer or no right: if the exchange was made again, its streams are deaf until the next time.", s.RebindsSkipped)
	count("events_broker_denials_total", "Times that the broker denied this service a queue of its own.", s.Denied)
	count("events_messages_total", "Deliveries taken from the broker.", s.Messages)
	count("events_message_bytes_total", "Bytes of their bodies.", s.Bytes)
	count("events_messages_dropped_total", "Messages that the broker has dropped from streams' queues.", s.Dropped)
	count("events_messages_filtered_total", "Messages that a host's Map has dropped, counted once for each stream.", s.Filtered)
	count("events_messages_redelivered_total", "Deliveries marked as delivered before.", s.Redelivered)
	for encoding, n := range fromZero(s.Payloads, "utf-8", "base64", "omitted") {
		count("events_payloads_encoded_total", "Deliveries whose body is not JSON, or too large.", n, "encoding", encoding)
	}
	count("events_actor_restarts_total", "Actors restarted by their supervisor.", s.Restarts)
	count("events_actor_failures_total", "Actors that failed, planned failures of consumers included.", s.Failures)
}

// leasesByAddress returns how many channels are leased at each address that a link leads to: as
// many as the broker has nodes, and no more.
func leasesByAddress(links []actors.LinkState) map[string]int64 {
	leases := map[string]int64{}
	for _, l := range links {
		if l.Address != "" {
			leases[l.Address] += int64(l.Channels)
		}
	}
	return leases
}

// fromZero returns the counts with a zero for each of the labels that has none.
func fromZero[L comparable](counts map[L]int64, labels ...L) map[L]int64 {
	all := make(map[L]int64, len(labels))
	for _, label := range labels {
		all[label] = 0
	}
	maps.Copy(all, counts)
	return all
}

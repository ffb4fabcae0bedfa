package httpapi

import (
	"maps"
	"regexp"
	"strconv"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// metric returns the value of a metric, with its labels as they are written; -1 where there is
// none.
func (p *proxy) metric(name string) float64 {
	p.t.Helper()
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(p.scrape())
	if found == nil {
		return -1
	}
	value, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}

// An operator sees how long clients wait: for ready, for a message, for a write; and how long their
// streams live.
func TestTheTimesOfAStreamAreMeasured(t *testing.T) {
	for _, hijack := range []bool{true, false} {
		p := start(t, func(s *settings) { s.NoHijack = !hijack })
		r := p.connect()
		p.publish("a", "1")
		r.want("message")
		await(t, "the message's time", func() bool { return p.metric("events_message_delay_seconds_count") == 1 })
		if n := p.metric("events_stream_ready_seconds_count"); n != 1 {
			t.Errorf("%v streams were ready", n)
		}
		if n := p.metric("events_stream_lifetime_seconds_count"); n != 0 {
			t.Errorf("%v streams have ended", n)
		}
		if n := p.metric("events_http_write_seconds_count"); n < 2 {
			t.Errorf("%v writes", n)
		}
		p.broker.CloseChannels()
		r.wantError(actors.BrokerLost)
		p.gone()
		if n := p.metric("events_stream_lifetime_seconds_count"); n != 1 {
			t.Errorf("%v streams have ended", n)
		}
		for _, name := range []string{"events_message_delay_seconds_sum", "events_stream_ready_seconds_sum", "events_stream_lifetime_seconds_sum"} {
			if sum := p.metric(name); sum <= 0 || sum > 20 {
				t.Errorf("%s is %v", name, sum)
			}
		}
	}
}

// Shared queues are counted, and the streams on them.
func TestFeedsAndTheirStreamsAreCounted(t *testing.T) {
	p := start(t, func(s *settings) { s.actors.ShareQueues, s.actors.Limits.Linger = true, 1 })
	other := connectPath(`{"bindings":[{"exchange":"` + exchange + `","routingKeyPattern":"other"}]}`)
	for _, path := range []string{all, all, other} {
		r := p.read(p.do("GET", path).Body)
		r.want("ping")
		r.want("ready")
	}
	await(t, "two queues for three streams", func() bool { return p.metric("events_feeds") == 2 && p.metric("events_feed_streams") == 3 })
	p.system.Drain(bounded(t), 0)
	await(t, "none is left", func() bool { return p.metric("events_feeds") == 0 && p.metric("events_feed_streams") == 0 })
}

// A dashboard tells versions apart.
func TestTheBuildIsAMetric(t *testing.T) {
	p := start(t, func(s *settings) { s.Version = Version{Version: "v1.2.3", Commit: "abc", Build: "go1.26"} })
	if n := p.metric(`events_build_info{commit="abc",goversion="go1.26",version="v1.2.3"}`); n != 1 {
		t.Error(p.scrape())
	}
}

// An operator of a cluster sees how the streams are spread over its nodes.
func TestStreamsAreCountedByNode(t *testing.T) {
	p := start(t, nil)
	p.connect()
	p.connect()
	name := `events_link_channels{address="` + p.broker.Addresses(t.Context())[0] + `"}`
	await(t, "two leases", func() bool { return p.metric(name) == 2 })
	got := leasesByAddress([]actors.LinkState{{Address: "a:1", Channels: 2}, {Address: "b:1", Channels: 3}, {Address: "a:1", Channels: 4}, {Channels: 5}})
	if !maps.Equal(got, map[string]int64{"a:1": 6, "b:1": 3}) {
		t.Errorf("%v", got)
	}
}

package httpapi

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A broker's hiccup must not empty a proxy: a load balancer has nothing better to
// send clients to.
func TestReadyKnowsOfTheDrainAlone(t *testing.T) {
	p := start(t, nil)
	p.broker.Stop()
	await(t, "the heartbeat notices", func() bool { return p.do("GET", "/__heartbeat__").StatusCode == http.StatusServiceUnavailable })
	if answer := p.do("GET", "/__ready__"); answer.StatusCode != http.StatusOK {
		t.Errorf("without a broker: %s", answer.Status)
	}
}

// Load balancers look every few seconds: until they have seen that a process goes,
// they send it clients, which are served.
func TestForTheDrainDelayEverythingIsServedAndTheLoadBalancersAreTold(t *testing.T) {
	p := start(t, func(s *settings) { s.server.DrainDelay = time.Hour })
	old := p.connect()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Shutdown(ctx) }()
	for _, path := range []string{"/__ready__", "/__heartbeat__"} {
		await(t, path, func() bool { return p.do("GET", path).StatusCode == http.StatusServiceUnavailable })
	}
	if answer := p.do("GET", "/__lbheartbeat__"); answer.StatusCode != http.StatusOK {
		t.Errorf("lbheartbeat: %s", answer.Status)
	}
	late := p.connect()
	p.publish("a", `1`)
	old.want("message")
	late.want("message")
	cancel() // the delay ends, and the time of the drain with it
	<-done
}

// A counter that appears with its first event is 1 from the start, so that its
// increase is 0 and an alert misses the first.
func TestLabelledCountersExistFromTheStart(t *testing.T) {
	p := start(t, nil)
	scraped := p.scrape()
	for _, want := range []string{
		`events_http_cut_streams_total{code="SlowConsumer",told="true"} 0`, `events_http_cut_streams_total{code="SlowConsumer",told="false"} 0`,
		`events_http_refusals_total{code="TooManyStreams"} 0`, `events_http_refusals_total{code="InvalidBindings"} 0`, `events_http_answers_total{status="503"} 0`,
		`events_http_streams{protocol="HTTP/2"} 0`,
		`events_streams_ended_total{code="SlowConsumer"} 0`, `events_streams_ended_total{code="ClientGone"} 0`, `events_streams_refused_total{code="AtCapacity"} 0`,
		`events_payloads_encoded_total{encoding="base64"} 0`,
	} {
		if !strings.Contains(scraped, "\n"+want+"\n") {
			t.Errorf("%s is missing", want)
		}
	}
}

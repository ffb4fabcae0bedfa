package httpapi

import (
	"net/http"
	"time"
)

func (h *Handler) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, h.options.Version)
}

// lbheartbeat answers 200 as long as the process runs.
func (h *Handler) lbheartbeat(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct{}{})
}

// heartbeat answers 200 while new streams will work: the broker is reached and lets this service
// make queues, and the service is not shutting down; else 503. Nodes of the broker that are blind get
// no streams, so they are counted and change nothing while others serve.
func (h *Handler) heartbeat(w http.ResponseWriter, _ *http.Request) {
	health := h.system.Health()
	draining := h.draining()
	status := http.StatusOK
	if !health.BrokerUp || health.Denied || draining {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, struct {
		Broker   bool `json:"broker"`
		Denied   bool `json:"denied"`
		Draining bool `json:"draining"`
		Streams  int  `json:"streams"`
		Links    int  `json:"links"`
		Blind    int  `json:"blind"`
	}{health.BrokerUp, health.Denied, draining, health.Streams, health.Links, health.Blind})
}

// ready answers 503 once this process is going away, else 200, whatever the broker
// does: a load balancer should send new clients elsewhere, and a broker's absence
// is no better elsewhere.
func (h *Handler) ready(w http.ResponseWriter, _ *http.Request) {
	status, draining := http.StatusOK, h.draining()
	if draining {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, struct {
		Draining bool `json:"draining"`
	}{draining})
}

// draining reports whether the service is going away, or about to.
func (h *Handler) draining() bool {
	return h.retired.Load() || h.system.Health().Draining || h.outlets.registry.shuttingDown()
}

// ping is Taskcluster's: it answers for how many seconds the service is up.
func (h *Handler) ping(w http.ResponseWriter, _ *http.Request) {
	uptime := time.Since(h.started).Truncate(time.Millisecond)
	writeJSON(w, http.StatusOK, struct {
		Alive  bool    `json:"alive"`
		Uptime float64 `json:"uptime"`
	}{true, uptime.Seconds()})
}

func robots(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("User-Agent: *\nDisallow: /\n"))
}

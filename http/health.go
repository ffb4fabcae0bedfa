package httpapi

import (
	"net/http"
	"runtime/debug"
	"time"
)

// Version is what /__version__ tells, in Dockerflow's shape.
type Version struct {
	Source  string `json:"source"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Build   string `json:"build"`
}

// buildFacts is what the binary knows of itself.
func buildFacts() Version {
	v := Version{Source: "https://github.com/taskcluster/events-proxy", Version: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Build = info.GoVersion
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			v.Commit = setting.Value
		}
	}
	return v
}

func (h *Handler) version(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, h.options.Version)
}

// lbheartbeat says that the process is there.
func (h *Handler) lbheartbeat(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, struct{}{})
}

// heartbeat says whether new streams will work: the broker is reached, and
// nobody is shutting down.
func (h *Handler) heartbeat(w http.ResponseWriter, _ *http.Request) {
	health := h.system.Health()
	draining := health.Draining || h.open.shuttingDown()
	status := http.StatusOK
	if !health.BrokerUp || draining {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, struct {
		Broker   bool `json:"broker"`
		Draining bool `json:"draining"`
		Streams  int  `json:"streams"`
		Links    int  `json:"links"`
	}{health.BrokerUp, draining, health.Streams, health.Links})
}

// ping is Taskcluster's: the service is up, and for how many seconds.
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

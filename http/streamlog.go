package httpapi

import (
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// mostLoggedExchanges bounds how many exchanges the line of a stream's start names.
const mostLoggedExchanges = 8

// streamOpened logs the start of a stream. The query is not logged: it may hold a token.
func (o *outlets) streamOpened(s stream, protocol string) {
	if !o.log.Enabled(s.Context(), slog.LevelInfo) {
		return
	}
	state := s.State()
	var exchanges []string
	for _, b := range state.Bindings {
		if !slices.Contains(exchanges, b.Exchange) {
			exchanges = append(exchanges, b.Exchange)
		}
	}
	if len(exchanges) > mostLoggedExchanges {
		exchanges = append(exchanges[:mostLoggedExchanges], "…")
	}
	attrs := append(who(state), "protocol", protocol,
		"bindings", len(state.Bindings), "exchanges", strings.Join(exchanges, " "))
	o.log.InfoContext(s.Context(), "stream opened", attrs...)
}

// streamEnded logs and times the end of a stream, after Close. told reports whether its last event
// has been written. The cause is the broker's own words, where it had any.
func (o *outlets) streamEnded(s stream, told bool) {
	state := s.State()
	o.metrics.ended(state.Age)
	if !o.log.Enabled(s.Context(), slog.LevelInfo) {
		return
	}
	code, cause := actors.Code(""), error(nil)
	if why := s.Ended(); why != nil {
		code, cause = why.Code, why.Cause
	}
	attrs := append(who(state), "code", string(code), "duration", state.Age.Round(time.Millisecond),
		"messages", state.Messages, "bytes", state.Bytes, "told", told)
	if cause != nil {
		attrs = append(attrs, "cause", cause)
	}
	o.log.InfoContext(s.Context(), "stream ended", attrs...)
}

// who returns a stream's name and its client's, where the client is known.
func who(state actors.StreamState) []any {
	attrs := []any{"stream", state.ID, "address", state.Address}
	if state.Subject != "" {
		attrs = append(attrs, "subject", state.Subject)
	}
	return attrs
}

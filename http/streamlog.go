package httpapi

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// mostLoggedExchanges bounds how many exchanges the line of a stream's start names.
const mostLoggedExchanges = 8

// streamOpened logs the start of a stream. The query is not logged: it may hold a token.
func (o *outlets) streamOpened(s stream, protocol string) {
	if !o.log.Enabled(context.Background(), slog.LevelInfo) {
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
	o.log.Info("stream opened", "stream", state.ID, "address", state.Address, "protocol", protocol,
		"bindings", len(state.Bindings), "exchanges", strings.Join(exchanges, " "))
}

// streamEnded logs and times the end of a stream, after Close. told reports whether its last event
// has been written. The cause is the broker's own words, where it had any.
func (o *outlets) streamEnded(s stream, told bool) {
	state := s.State()
	o.metrics.ended(state.Age)
	if !o.log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	attrs := []any{
		"stream", state.ID, "address", state.Address, "code", "", "duration", state.Age.Round(time.Millisecond),
		"messages", state.Messages, "bytes", state.Bytes, "told", told,
	}
	if why := s.Ended(); why != nil {
		attrs[5] = string(why.Code)
		if why.Cause != nil {
			attrs = append(attrs, "cause", why.Cause)
		}
	}
	o.log.Info("stream ended", attrs...)
}

package main

import (
	"io"
	"log/slog"

	"github.com/taskcluster/events-proxy/config"
)

// newLog returns a log of the wanted format; debug lines come with DEBUG=events:*.
func newLog(w io.Writer, s config.Server) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if s.Verbose() {
		options.Level = slog.LevelDebug
	}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

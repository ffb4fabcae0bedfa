package main

import (
	"io"
	"log/slog"

	"github.com/taskcluster/events-proxy/config"
)

// newLog returns a log of the format and the level of the settings. The level may be changed while
// the log is used.
func newLog(w io.Writer, s config.Server) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(s.Level())
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), level
	}
	return slog.New(slog.NewTextHandler(w, options)), level
}

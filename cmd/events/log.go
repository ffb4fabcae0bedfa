package main

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/taskcluster/events-proxy/config"
)

// newLog returns a log of the format and the level of the settings. The level may be changed while
// the log is used.
func newLog(w io.Writer, s config.Server) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(s.Level())
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		options.ReplaceAttr = durationsAsText
		return slog.New(slog.NewJSONHandler(w, options)), level
	}
	return slog.New(slog.NewTextHandler(w, options)), level
}

// durationsAsText makes 1.5s of what would be 1500000000 in JSON.
func durationsAsText(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// serviceLog is the log of a running proxy: no one who logs ever waits for it.
type serviceLog struct {
	*slog.Logger
	level *slog.LevelVar // may be changed at any time
	out   *lossy
}

// newServiceLog starts a log; its out is to be closed.
func newServiceLog(w io.Writer, s config.Server) *serviceLog {
	out := newLossy(w)
	log, level := newLog(out, s)
	direct, _ := newLog(w, s)
	out.noticeWith(func(lines int64) error {
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "log lines were dropped: the log could not be written as fast as they came", 0)
		r.AddAttrs(slog.Int64("lines", lines))
		return direct.Handler().Handle(context.Background(), r)
	})
	return &serviceLog{Logger: log, level: level, out: out}
}

package config

import (
	"log/slog"
	"path"
	"strings"
)

// debugName is what DEBUG's patterns are compared with: any name of ours.
const debugName = "events:proxy"

// verbose reports whether DEBUG turns debug logs on: some pattern of DEBUG covers our names
// (events:*, *), and none that starts with a dash takes them back.
func (s Server) verbose() bool {
	on := false
	for _, pattern := range strings.FieldsFunc(s.Debug, func(r rune) bool { return r == ',' || r == ' ' }) {
		negative := strings.HasPrefix(pattern, "-")
		if covers, _ := path.Match(strings.TrimPrefix(pattern, "-"), debugName); covers {
			if negative {
				return false
			}
			on = true
		}
	}
	return on
}

// Level returns the least level of the lines in the log.
func (s Server) Level() slog.Level {
	var level slog.Level // the zero value is info
	_ = level.UnmarshalText([]byte(s.LogLevel))
	return level
}

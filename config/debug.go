package config

import (
	"path"
	"strings"
)

// debugName is what DEBUG's patterns are compared with: any name of ours.
const debugName = "events:proxy"

// Verbose reports whether debug logs are on: some pattern of DEBUG covers our names (events:*, *),
// and none that starts with a dash takes them back.
func (s Server) Verbose() bool {
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

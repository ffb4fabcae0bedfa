package script

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Settings are what a script asks of the proxy before it starts; zero values
// are the proxy's own defaults.
type Settings struct {
	ShareQueues       bool          // streams with equal bindings share one queue
	Routed            []string      // patterns of exchanges whose streams share one queue
	Ping              time.Duration // between two pings
	SlowAfter         time.Duration // a window full for so long ends the stream
	WriteTimeout      time.Duration // of one write to a client
	VanishAfter       time.Duration // a client that acknowledges nothing for so long is given up
	Streams           int           // in all
	StreamsPerAddress int
	ConnectsPerSecond float64 // of one address
	ChannelsPerLink   int
	RebindEvery       time.Duration // bindings are repeated
	StreamAge         time.Duration // at which a stream is ended
	Bindings          int           // of one stream
	Prefetch          int
	Backlog           int // messages at the broker
	MessageBytes      int
	AllowExchanges    []string
	AllowOrigins      []string
	RootURL           string
	TrustProxy        bool
	ForceSSL          bool
}

// applySettings is the command settings.
//
//	settings ping=50ms streams=2
func applySettings(w *world, _ *testscript.TestScript, args []string) error {
	if w.proxy != nil {
		return errors.New("the proxy runs already: settings come first")
	}
	keys := w.settings.keys()
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		set := keys[key]
		if set == nil {
			return fmt.Errorf("no setting is called %s; %s", key, among([]string{key}, slices.Collect(maps.Keys(keys))))
		}
		if err := set(value); err != nil {
			return fmt.Errorf("%s: %w", arg, err)
		}
	}
	return nil
}

// SettingKeys returns the names of the settings, sorted.
func SettingKeys() []string { return slices.Sorted(maps.Keys((&Settings{}).keys())) }

func (s *Settings) keys() map[string]func(string) error {
	return map[string]func(string) error{
		"ping":                into(&s.Ping, time.ParseDuration),
		"slow-after":          into(&s.SlowAfter, time.ParseDuration),
		"write-timeout":       into(&s.WriteTimeout, time.ParseDuration),
		"vanish-after":        into(&s.VanishAfter, time.ParseDuration),
		"streams":             into(&s.Streams, strconv.Atoi),
		"streams-per-address": into(&s.StreamsPerAddress, strconv.Atoi),
		"connects-per-second": into(&s.ConnectsPerSecond, parseFloat),
		"channels-per-link":   into(&s.ChannelsPerLink, strconv.Atoi),
		"rebind-every":        into(&s.RebindEvery, time.ParseDuration),
		"stream-age":          into(&s.StreamAge, time.ParseDuration),
		"bindings":            into(&s.Bindings, strconv.Atoi),
		"prefetch":            into(&s.Prefetch, strconv.Atoi),
		"backlog":             into(&s.Backlog, strconv.Atoi),
		"message-bytes":       into(&s.MessageBytes, strconv.Atoi),
		"allow-exchanges":     into(&s.AllowExchanges, parseList),
		"allow-origins":       into(&s.AllowOrigins, parseList),
		"routed-exchanges":    into(&s.Routed, parseList),
		"root-url":            into(&s.RootURL, parseText),
		"trust-proxy":         into(&s.TrustProxy, strconv.ParseBool),
		"force-ssl":           into(&s.ForceSSL, strconv.ParseBool),
	}
}

// into makes the setter of a field.
func into[T any](field *T, parse func(string) (T, error)) func(string) error {
	return func(text string) (err error) {
		*field, err = parse(text)
		return err
	}
}

func parseFloat(text string) (float64, error) { return strconv.ParseFloat(text, 64) }
func parseText(text string) (string, error)   { return text, nil }
func parseList(text string) ([]string, error) { return strings.Split(text, ","), nil }

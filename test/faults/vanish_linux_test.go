package faults

import (
	"errors"
	"testing"
	"time"

	httpapi "github.com/taskcluster/events-proxy/http"
)

// A client whose machine vanishes, with HTTP/1.1: what is sent to it is never acknowledged, and
// its stream is given up after VanishAfter. The kernel's own patience is a quarter
// of an hour.
func TestAClientThatVanishesIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]settings{
		"in a host's server": {host: true},
		"within net/http":    {http: httpapi.Options{NoHijack: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.http.VanishAfter = time.Second
			r := onMemory(t, o)
			s, stays := r.ready(exchange, "#"), r.ready(exchange, "#")
			if err := s.Vanish(); err != nil {
				t.Fatal(err)
			}
			r.publish(1, 1, 100)
			r.eventually("the vanished client's stream is gone", func() error {
				if n := r.proxy.System.Stats().Streams; n != 1 {
					return errors.New("it is still there")
				}
				return nil
			})
			r.awaits(stays, messages(1))
		})
	}
}

package options

import (
	"errors"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/config"
	"github.com/taskcluster/events-proxy/http/access"
)

// Validate returns what only the packages themselves can find wrong with settings that are loaded
// without an error: a [config.Problems], or nil. `events serve` and `events config` both ask, so
// that they agree. Where the settings have no broker, [config.ErrNoBroker] is among the problems.
func Validate(c config.Config) error {
	var problems config.Problems
	find := func(where string, err error) {
		if err != nil {
			problems = append(problems, config.Problem{Where: where, Why: err.Error()})
		}
	}
	switch _, err := Broker(c); {
	case errors.Is(err, config.ErrNoBroker):
		find("no broker", config.ErrNoBroker)
	case c.Pulse.URL.Reveal() == "":
		find(c.Where("pulse.hostname"), err)
	default:
		find(c.Where("pulse.url"), err)
	}
	_, err := Certificate(c.Server)
	find(c.Where("server.tlsCertificate"), err)
	if c.Auth.On() {
		_, err := access.New(Auth(c, nil))
		find(c.Where(authFile(c)), err)
	}
	find(c.Where("pulse.namespace"), System(c, amqp.NewMemory(), nil).Validate()) // config checks all the rest
	find(c.Where("server.rootUrl"), Handler(c, "", nil).Validate())
	if len(problems) == 0 {
		return nil
	}
	return problems
}

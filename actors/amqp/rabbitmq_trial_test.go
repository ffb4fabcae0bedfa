package amqp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// A dial is content with one address; people who look for what is wrong want to know of each, and
// at which step it fails.
func TestTryNamesTheStepForEachAddress(t *testing.T) {
	node := rabbit.Run(t)
	for _, row := range []struct {
		user  string
		steps []amqp.Step
	}{
		{"guest:guest", []amqp.Step{0, amqp.StepConnect}},
		{"guest:wrong", []amqp.Step{amqp.StepLogin, amqp.StepConnect}},
	} {
		r, err := amqp.NewRabbitMQ("amqp://"+row.user+"@"+node.Address()+",127.0.0.1:1/%2F", amqp.RabbitMQOptions{DialTimeout: 30 * time.Second})
		must(t, err)
		trials := r.Try(bounded(t))
		for i, trial := range trials {
			if trial.Failed != row.steps[i] || (trial.Err == nil) != (trial.Failed == 0) || (trial.Link == nil) == (trial.Failed == 0) {
				t.Errorf("%s: %+v", row.user, trial)
			}
			if trial.Err != nil && strings.Contains(trial.Err.Error(), "wrong") {
				t.Errorf("the password is shown: %v", trial.Err)
			}
			if trial.Link != nil {
				must(t, trial.Link.Close(time.Second))
			}
		}
		if len(trials) != len(row.steps) {
			t.Errorf("%d trials", len(trials))
		}
	}
}

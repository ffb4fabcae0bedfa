package config

import (
	"errors"
	"strings"
	"testing"
)

func TestBrokerURL(t *testing.T) {
	for _, row := range []struct {
		name            string
		env             map[string]string
		url, namespace  string
		withoutPassword string
	}{
		{"the original's four",
			map[string]string{"PULSE_USERNAME": "ada", "PULSE_PASSWORD": "p/w@:%", "PULSE_HOSTNAME": "pulse.mozilla.org", "PULSE_VHOST": "/"},
			"amqps://ada:p%2Fw%40%3A%25@pulse.mozilla.org:5671/%2F", "ada", "amqps://pulse.mozilla.org:5671/%2F"},
		{"a port and a virtual host with a slash",
			map[string]string{"PULSE_USERNAME": "a b", "PULSE_PASSWORD": "p", "PULSE_HOSTNAME": "h:5673", "PULSE_VHOST": "x/y"},
			"amqps://a%20b:p@h:5673/x%2Fy", "a b", "amqps://h:5673/x%2Fy"},
		{"an IPv6 address",
			map[string]string{"PULSE_USERNAME": "a", "PULSE_PASSWORD": "p", "PULSE_HOSTNAME": "[::1]"},
			"amqps://a:p@[::1]:5671/%2F", "a", "amqps://[::1]:5671/%2F"},
		{"an IPv6 address without brackets",
			map[string]string{"PULSE_USERNAME": "a", "PULSE_PASSWORD": "p", "PULSE_HOSTNAME": "fe80::1%eth0"},
			"amqps://a:p@[fe80::1%25eth0]:5671/%2F", "a", "amqps://[fe80::1%25eth0]:5671/%2F"},
		{"an IPv6 address without brackets in a URL",
			map[string]string{"PULSE_URL": "amqp://a:p@::1/v?heartbeat=5"},
			"amqp://a:p@[::1]/v?heartbeat=5", "a", "amqp://[::1]/v"},
		{"the nodes of a cluster",
			map[string]string{"PULSE_URL": "amqps://a:p,@a:5671,b.example.org,[::1]:5673,::2/v"},
			"amqps://a:p,@a:5671,b.example.org,[::1]:5673,[::2]/v", "a", "amqps://a:5671,b.example.org,[::1]:5673,[::2]/v"},
		{"the nodes of a cluster, the original's way",
			map[string]string{"PULSE_USERNAME": "a", "PULSE_PASSWORD": "p", "PULSE_HOSTNAME": "a,b:5673"},
			"amqps://a:p@a:5671,b:5673/%2F", "a", "amqps://a:5671,b:5673/%2F"},
		{"the URL wins, its user names the queues",
			map[string]string{"PULSE_URL": "amqp://eve:x@h2/v", "PULSE_USERNAME": "ada", "PULSE_PASSWORD": "p", "PULSE_HOSTNAME": "h"},
			"amqp://eve:x@h2/v", "eve", "amqp://h2/v"},
		{"a namespace of its own",
			map[string]string{"PULSE_URL": "amqp://eve:x@h2/v", "PULSE_NAMESPACE": "tc"},
			"amqp://eve:x@h2/v", "tc", "amqp://h2/v"},
		{"a URL without a user",
			map[string]string{"PULSE_URL": "amqp://localhost"},
			"amqp://localhost", "guest", "amqp://localhost"},
	} {
		c := world{env: row.env}.mustLoad(t)
		url, err := c.Pulse.BrokerURL()
		if err != nil || url.Reveal() != row.url || c.Pulse.Namespace != row.namespace || c.Pulse.Broker() != row.withoutPassword {
			t.Errorf("%s: %q %q %q %v", row.name, url.Reveal(), c.Pulse.Namespace, c.Pulse.Broker(), err)
		}
	}
}

func TestNoBroker(t *testing.T) {
	c := world{}.mustLoad(t)
	if _, err := c.Pulse.BrokerURL(); !errors.Is(err, ErrNoBroker) || c.Pulse.Broker() != "" {
		t.Errorf("got %v", err)
	}
}

// Half of the original's variables is a mistake, and each missing one is named.
func TestHalfABrokerIsNamed(t *testing.T) {
	for _, row := range []struct {
		env     map[string]string
		missing string
	}{
		{map[string]string{"PULSE_HOSTNAME": "h"}, "PULSE_USERNAME PULSE_PASSWORD"},
		{map[string]string{"PULSE_USERNAME": "u", "PULSE_PASSWORD": "p"}, "PULSE_HOSTNAME"},
		{map[string]string{"PULSE_USERNAME": "u", "PULSE_HOSTNAME": "h"}, "PULSE_PASSWORD"},
	} {
		_, err := world{env: row.env}.load()
		var missing []string
		if problems, ok := err.(Problems); ok {
			for _, p := range problems {
				missing = append(missing, p.Where)
			}
		}
		if strings.Join(missing, " ") != row.missing {
			t.Errorf("%v: got %v, want %s", row.env, err, row.missing)
		}
	}
	_, err := world{env: map[string]string{"PULSE_HOSTNAME": "amqp://h", "PULSE_USERNAME": "u", "PULSE_PASSWORD": "p"}}.load()
	if err == nil || !strings.Contains(err.Error(), `PULSE_HOSTNAME: the value is not a host name`) {
		t.Errorf("got %v", err)
	}
}

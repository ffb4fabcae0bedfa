package clients_test

import (
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/test/clients"
)

const (
	ping    = `{"time":"2026-11-20T20:24:56.123Z"}`
	message = `{"payload":{"n":1},"exchange":"e","routingKey":"k","redelivered":false,"routes":[]}`
	failure = `{"code":"BrokerLost","message":"The broker went away","retryable":true,"retryAfterMs":1000}`
)

// What no stream may do is found in every script, without being asked for.
func TestCheckFindsEveryBreachOfTheContract(t *testing.T) {
	numbered := func(n string) string { return strings.Replace(message, `{"n":1}`, n, 1) }
	for breach, events := range map[string][]clients.Event{
		"another id":                           {{Name: "ping", Data: ping, ID: "7"}},
		"no first ping":                        {event("ready", "{}")},
		"an unknown event":                     {event("ping", ping), event("hello", "{}")},
		"a ping without time":                  {event("ping", "{}")},
		"two readies":                          {event("ping", ping), event("ready", "{}"), event("ready", "{}")},
		"a ready with data":                    {event("ping", ping), event("ready", `{"a":1}`)},
		"a message before ready":               {event("ping", ping), event("message", message)},
		"a message with another field":         {event("ping", ping), event("ready", "{}"), event("message", strings.Replace(message, `"routes"`, `"more":1,"routes"`, 1))},
		"a message without routes":             {event("ping", ping), event("ready", "{}"), event("message", strings.Replace(message, `,"routes":[]`, "", 1))},
		"a message twice":                      {event("ping", ping), event("ready", "{}"), event("message", message), event("message", message)},
		"another order":                        {event("ping", ping), event("ready", "{}"), event("message", numbered(`{"n":2}`)), event("message", message)},
		"an error without a code":              {event("ping", ping), event("error", `{"message":"x","retryable":true}`)},
		"a retryable error that names no wait": {event("ping", ping), event("error", strings.Replace(failure, `,"retryAfterMs":1000`, "", 1))},
		"an error of another form":             {event("ping", ping), event("error", `"just text"`)},
		"something after the error":            {event("ping", ping), event("error", failure), event("ping", ping)},
		"several lines of data":                {event("ping", ping), event("ready", "{\n}")},
	} {
		if err := (clients.Received{Events: events}).Check(); err == nil {
			t.Errorf("%s is not found", breach)
		}
	}
}

func TestCheckAcceptsWhatTheContractAllows(t *testing.T) {
	again := strings.Replace(message, `"redelivered":false`, `"redelivered":true`, 1)
	for name, events := range map[string][]clients.Event{
		"nothing yet":     nil,
		"a whole life":    {event("ping", ping), event("ready", "{}"), event("message", message), event("ping", ping), event("error", failure)},
		"a redelivery":    {event("ping", ping), event("ready", "{}"), event("message", message), event("message", again)},
		"a refused start": {event("error", strings.Replace(failure, "BrokerLost", "InvalidBindings", 1))},
	} {
		if err := (clients.Received{Events: events}).Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func event(name, data string) clients.Event { return clients.Event{Name: name, Data: data, ID: "-"} }

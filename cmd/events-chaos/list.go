package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/random"
	"github.com/taskcluster/events-proxy/test/script"
)

// runList names what scripts may say.
func (c command) runList(_ context.Context, args []string) error {
	if len(args) > 0 {
		return misuse("usage: events-chaos list")
	}
	print := func(title string, words []string) {
		fmt.Fprintf(c.stdout, "%s:\n  %s\n", title, strings.Join(words, "\n  "))
	}
	print("commands", script.Commands())
	print("broker FAULT (the broker, and the way to it)", names(faults.OfNetwork(), faults.OfBroker()))
	print("network FAULT (the way from the clients)", names(faults.OfNetwork()))
	print("broker FAULT NUMBER (a node of a cluster: --nodes 3)", names(faults.OfNode()))
	print("process FAULT (the proxy's process)", names(faults.OfProcess()))
	print("FAULT NAME (clients)", names(faults.OfClients()))
	print("harms at random (run --random)", atRandom())
	print("settings KEY=VALUE", script.SettingKeys())
	fmt.Fprintln(c.stdout, "A fault that is undone by none ends by itself; (undoes) marks what undoes others.")
	return nil
}

// atRandom lists the harms that a random run draws from, where everything is its own, and what they
// do.
func atRandom() (words []string) {
	for _, fault := range atRandomOfBroker() {
		words = append(words, fault.Name+": "+doesOf[fault.Name])
	}
	none := func(string, string, string) script.Fault { return script.Fault{} }
	own := []random.Harm{(&outage{}).harm(), paused(nil), logUnread(nil, ""), wideHeaders(none), remade(nil, nil)}
	for _, harm := range append(own, random.Known()...) {
		words = append(words, harm.Name+": "+harm.Does)
	}
	for _, harm := range nodeHarms() {
		words = append(words, harm.name+" (--nodes 3): "+harm.says)
	}
	return words
}

// names lists faults, and marks those that undo others.
func names(lists ...[]faults.Fault) (words []string) {
	for _, list := range lists {
		for _, fault := range list {
			if fault.Watch == nil {
				words = append(words, fault.Name+" (undoes)")
			} else {
				words = append(words, fault.Name)
			}
		}
	}
	return words
}

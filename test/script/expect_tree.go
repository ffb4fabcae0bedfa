package script

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
)

// expectTree waits until the live tree has so many actors of a role, all of them
// in a state where one is named; or until one of them has been restarted so
// often, or has last failed for a reason that contains a text.
//
//	expect tree 3 connection ready
//	expect tree broker restarts 1
//	expect tree broker failure planted
func (w *world) expectTree(words []string) error {
	want, err := parseTree(words)
	if err != nil {
		return err
	}
	proxy, err := w.running()
	if err != nil {
		return err
	}
	ctx, cancel := w.bounded()
	defer cancel()
	return eventually(ctx, func() error {
		snapshot, err := proxy.Snapshot(ctx)
		if err != nil {
			return err
		}
		return want(since(w.before, snapshot).Actors)
	})
}

func parseTree(words []string) (func([]actors.Actor) error, error) {
	if n, err := strconv.Atoi(words[0]); err == nil && (len(words) == 2 || len(words) == 3) {
		return countActors(n, actors.Role(words[1]), strings.Join(words[2:], "")), nil
	}
	if len(words) >= 3 {
		role, text := actors.Role(words[0]), strings.Join(words[2:], " ")
		switch words[1] {
		case "restarts":
			return someActor(role, func(a actors.Actor) bool { return strconv.FormatInt(a.Restarts, 10) == text }), nil
		case "failure":
			return someActor(role, func(a actors.Actor) bool { return strings.Contains(a.Failure, text) }), nil
		}
	}
	return nil, errors.New("usage: expect tree N ROLE [STATE] | ROLE restarts N | ROLE failure TEXT")
}

func countActors(n int, role actors.Role, state string) func([]actors.Actor) error {
	return func(all []actors.Actor) error {
		var of []actors.Actor
		for _, a := range all {
			if a.Role == role {
				of = append(of, a)
			}
		}
		for _, a := range of {
			if state != "" && a.State != state {
				return fmt.Errorf("a %s is %s, not %s", role, a.State, state)
			}
		}
		if len(of) != n {
			return fmt.Errorf("the tree has %d actors of role %s, not %d", len(of), role, n)
		}
		return nil
	}
}

func someActor(role actors.Role, is func(actors.Actor) bool) func([]actors.Actor) error {
	return func(all []actors.Actor) error {
		var of []actors.Actor
		for _, a := range all {
			if a.Role != role {
				continue
			}
			if is(a) {
				return nil
			}
			of = append(of, a)
		}
		return fmt.Errorf("no %s is like that: %+v", role, of)
	}
}

package doctor

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
)

// exchange is what the management plugin says of one.
type exchange struct {
	Name      string         `json:"name"`
	Type      string         `json:"type"`
	Arguments map[string]any `json:"arguments"`
}

// brokerRouted compares the list of exchanges that the proxy routes by itself with what they are.
func (v *visit) brokerRouted(ctx context.Context) Finding {
	switch {
	case len(v.options.Config.Server.Routed) == 0:
		return notUsed("EVENTS_ROUTED_EXCHANGES is not set")
	case v.options.Management == "":
		return skip(noManagement)
	}
	var all []exchange
	if err := v.inquire(ctx, &all, "exchanges", v.options.Broker.VHost()); err != nil {
		return fail("correct the management URL, or its user's rights", "%s", plain(err))
	}
	listed := v.routed(all)
	alternates, unseen := v.alternates(ctx, all)
	bad, err := v.misrouted(ctx, listed, alternates)
	switch {
	case err != nil:
		return fail("correct the management URL, or its user's rights", "%s", plain(err))
	case len(bad) > 0:
		return fail("take it off EVENTS_ROUTED_EXCHANGES: its streams get queues of their own then", "%s", strings.Join(bad, "; "))
	case len(listed) == 0:
		return pass("no exchange of the list is there")
	case unseen != nil:
		return pass("%d topic exchanges, which no other exchange feeds, unless a policy makes one an alternate exchange (%s)", len(listed), plain(unseen))
	}
	return pass("%d topic exchanges, which no other exchange feeds", len(listed))
}

// routed returns the exchanges that the settings list.
func (v *visit) routed(all []exchange) (listed []exchange) {
	for _, x := range all {
		if slices.ContainsFunc(v.options.Config.Server.Routed, func(pattern string) bool {
			matches, _ := path.Match(pattern, x.Name)
			return matches
		}) {
			listed = append(listed, x)
		}
	}
	return listed
}

// misrouted returns why routing the listed exchanges by their messages' routing keys would be wrong.
func (v *visit) misrouted(ctx context.Context, listed []exchange, alternates map[string]string) (bad []string, err error) {
	for _, x := range listed {
		if x.Type != "topic" {
			bad = append(bad, fmt.Sprintf("%s is no topic exchange, its kind is %s", x.Name, x.Type))
			continue
		}
		if of := alternates[x.Name]; of != "" {
			bad = append(bad, fmt.Sprintf("%s is the alternate exchange of %s, whose messages it gets", x.Name, of))
		}
		var sources []struct{ Source string }
		if err := v.inquire(ctx, &sources, "exchanges", v.options.Broker.VHost(), x.Name, "bindings", "destination"); err != nil {
			return nil, err
		}
		for _, s := range sources {
			bad = append(bad, fmt.Sprintf("%s is bound to the exchange %s, whose messages it gets", x.Name, s.Source))
		}
	}
	return bad, nil
}

// alternates returns whose alternate exchange an exchange is, as those or their policies say; the
// error is why policies could not be seen, for which a user needs the tag policymaker.
func (v *visit) alternates(ctx context.Context, all []exchange) (alternates map[string]string, unseen error) {
	alternates = map[string]string{}
	for _, x := range all {
		if to, ok := x.Arguments["alternate-exchange"].(string); ok {
			alternates[to] = x.Name
		}
	}
	var policies []struct {
		Name       string
		Definition map[string]any
	}
	if err := v.inquire(ctx, &policies, "policies", v.options.Broker.VHost()); err != nil {
		return alternates, err
	}
	for _, p := range policies {
		if to, ok := p.Definition["alternate-exchange"].(string); ok {
			alternates[to] = "others by the policy " + p.Name
		}
	}
	return alternates, nil
}

package doctor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

func (v *visit) settings(context.Context) Finding {
	o := v.options
	switch {
	case o.Problem != nil:
		return fail("events config shows what is in effect, and from where", "%s", strings.ReplaceAll(o.Problem.Error(), "\n", "; "))
	case o.Broker == nil && o.URL == "":
		return fail("set PULSE_URL, or PULSE_USERNAME, PULSE_PASSWORD and PULSE_HOSTNAME", "they name no broker")
	}
	return pass("profile %s", o.Config.Profile)
}

// brokerName tries all the way to a link; the checks after it read what came of that.
func (v *visit) brokerName(ctx context.Context) Finding {
	if v.options.Broker == nil {
		return skip("the settings name no broker (PULSE_URL)")
	}
	v.trials = known(v.options.Broker.Try(ctx))
	return v.step(amqp.StepResolve, func(t amqp.Trial) Finding {
		host, _, _ := net.SplitHostPort(t.Host)
		return noName(host, t.Err)
	})
}

// known leaves out addresses of a host that has another one of the other family, IPv4 or IPv6,
// which can be reached: such a machine is one node, and is found there.
func known(trials []amqp.Trial) (kept []amqp.Trial) {
	reached := map[string]bool{}
	for _, t := range trials {
		if t.Failed == 0 || t.Failed > amqp.StepConnect {
			reached[t.Host+family(!is4(t.Address))] = true
		}
	}
	for _, t := range trials {
		if t.Failed != amqp.StepConnect || !reached[t.Host+family(is4(t.Address))] {
			kept = append(kept, t)
		}
	}
	return kept
}

func family(four bool) string { return fmt.Sprint(" ", four) }

func is4(address string) bool {
	a, err := netip.ParseAddrPort(address)
	return err == nil && a.Addr().Is4()
}

// step judges one step of all trials that came so far. why explains one that failed there.
func (v *visit) step(s amqp.Step, why func(amqp.Trial) Finding) Finding {
	var first *Finding
	var bad, good []string
	for _, t := range v.trials {
		switch {
		case t.Failed == s:
			f := why(t)
			bad = append(bad, f.Cause)
			if first == nil {
				first = &f
			}
		case t.Failed == 0 || t.Failed > s:
			good = append(good, t.Address)
		}
	}
	if first == nil {
		return pass("%s", strings.Join(good, ", "))
	}
	first.Cause = strings.Join(bad, "; ")
	if len(good) > 0 {
		first.Cause += fmt.Sprintf(" (but right at %s)", strings.Join(good, ", "))
	}
	return *first
}

func (v *visit) brokerTCP(context.Context) Finding {
	return v.step(amqp.StepConnect, func(t amqp.Trial) Finding { return noTCP(t.Address, t.Err) })
}

func (v *visit) brokerTLS(context.Context) Finding {
	f := v.step(amqp.StepSecure, func(t amqp.Trial) Finding { return badTLS(t.Address, t.Err) })
	switch {
	case f.Verdict == Fail:
		return f
	case !v.trials[0].Secure:
		return notUsed("the broker's URL is amqp://")
	}
	var soonest *amqp.Trial
	for i, t := range v.trials {
		if t.Certificate != nil && (soonest == nil || t.Certificate.NotAfter.Before(soonest.Certificate.NotAfter)) {
			soonest = &v.trials[i]
		}
	}
	return pass("%s", valid(soonest.Certificate, time.Now()))
}

func (v *visit) brokerAMQP(context.Context) Finding {
	return v.step(amqp.StepSpeak, func(t amqp.Trial) Finding {
		switch {
		case isTimeout(t.Err):
			return fail("is it the right port? is the broker alive?", "%s accepts connections and does not answer in AMQP", t.Address)
		case !t.Secure:
			return fail("is it the port of the broker's TLS listener (then amqps://), or of something else?", "%s does not speak AMQP 0-9-1: %s", t.Address, plain(t.Err))
		}
		return fail("is it the right port?", "%s does not speak AMQP 0-9-1: %s", t.Address, plain(t.Err))
	})
}

func (v *visit) brokerLogin(context.Context) Finding {
	return v.step(amqp.StepLogin, func(t amqp.Trial) Finding {
		if isTimeout(t.Err) {
			return fail("is the password right? a broker holds back its refusal for some seconds: a longer connection_timeout in PULSE_URL shows it", "%s does not answer the login of the user %q in time", t.Address, v.options.Broker.User())
		}
		return fail("correct user name and password (special characters in PULSE_URL are percent-encoded); the user guest may log in from the broker's own machine alone",
			"%s refuses the user %q: user name or password is wrong", t.Address, v.options.Broker.User())
	})
}

func (v *visit) brokerVHost(context.Context) Finding {
	f := v.step(amqp.StepOpen, func(t amqp.Trial) Finding {
		return fail("correct the virtual host (a / in PULSE_URL's is written %2F), or have the user let in",
			"%s refuses the virtual host %q: %s", t.Address, v.options.Broker.VHost(), plain(t.Err))
	})
	for _, t := range v.trials {
		if t.Link != nil && v.link == nil {
			v.link = t.Link
		}
	}
	return f
}

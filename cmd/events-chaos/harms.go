package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/random"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// The harms of a random run whose proxy and broker are its own, beside those that package
// random knows. Each is a fault of package faults that ends by itself.

// codesOf are the codes that streams may end with by a fault of the broker or of
// the way to it.
var codesOf = map[string][]actors.Code{
	faults.LinkCut.Name:        {actors.BrokerLost, actors.BrokerUnavailable},
	faults.LinksDropped.Name:   {actors.BrokerLost, actors.BrokerUnavailable},
	faults.ChannelsClosed.Name: {actors.BrokerLost, actors.BrokerUnavailable}, // the latter while a stream opens
	faults.QueuesDeleted.Name:  {actors.QueueDeleted, actors.BrokerLost, actors.BrokerUnavailable},
}

// doesOf are what they do, for the readers of a report.
var doesOf = map[string]string{
	faults.LinkCut.Name:        "every connection to the broker is cut on the way",
	faults.LinksDropped.Name:   "the broker closes every connection of the proxy, as an administrator does",
	faults.ChannelsClosed.Name: "the broker closes every channel, and leaves the connections",
	faults.QueuesDeleted.Name:  "the queues are deleted behind the proxy's back",
}

// atRandomOfBroker are the faults of the broker, and of the way to it, that are drawn.
func atRandomOfBroker() []faults.Fault {
	return []faults.Fault{faults.LinkCut, faults.LinksDropped, faults.ChannelsClosed, faults.QueuesDeleted}
}

// relinking are those that have the proxy's links made anew.
var relinking = map[string]bool{faults.LinkCut.Name: true, faults.LinksDropped.Name: true}

// harmOf makes a harm of a fault. moved is what follows where the proxy's links are made anew.
func harmOf(name string, fault script.Fault, moved random.Late) random.Harm {
	h := random.Harm{
		Name: name, Does: doesOf[name], Every: 3 * time.Second, Scope: random.Everyone, Codes: codesOf[name], Watch: fault.Watch,
		Do: func(ctx context.Context, _ random.Victim) error { return fault.Happen(ctx) },
	}
	if relinking[name] {
		h.Late = moved
	}
	return h
}

// moved is how streams end on a broker with several nodes when links have come or gone: the proxy's
// documentation says that twenty seconds later it moves streams to nodes that have few, one in a
// hundred each second. A minute and a half is enough where one node has them all.
var moved = random.Late{Codes: []actors.Code{actors.StreamExpired}, After: 20 * time.Second, For: 2 * time.Minute}

const (
	// pauseTime is shorter than anything that a paused process could be given up for.
	pauseTime = 1500 * time.Millisecond
	// unreadTime is how long a log is left unread.
	unreadTime = 5 * time.Second
)

// paused stops the proxy's process for a while. No stream may end by it.
func paused(p *chaos.Process) random.Harm {
	site := faults.Site{Process: p}
	return random.Harm{
		Name: "process paused", Does: "the proxy's process stands still for " + pauseTime.String(), Every: 10 * time.Second, Scope: random.NoStream, Watch: watchFor(faults.ProcessPaused, site),
		Do: func(ctx context.Context, _ random.Victim) error {
			err := faults.ProcessPaused.Happen(ctx, site)
			time.AfterFunc(pauseTime, func() { _ = p.Continue() }) // one that has ended needs none
			return err
		},
		Over: func(context.Context, time.Time) error {
			if is, err := p.IsPaused(); err != nil || is {
				return errors.Join(errors.New("the process is stopped"), err)
			}
			return nil
		},
	}
}

// logUnread leaves the proxy's log unread for a while, and gives it enough to say.
func logUnread(p *chaos.Process, exchange string) random.Harm {
	site := faults.Site{Process: p}
	return random.Harm{
		Name: "log unread", Does: "what reads the proxy's log stops for " + unreadTime.String(), Every: 2 * unreadTime, Scope: random.NoStream, Watch: watchFor(faults.LogUnread, site),
		Do: func(ctx context.Context, _ random.Victim) error {
			defer time.AfterFunc(unreadTime, p.ReadLog)
			if err := faults.LogUnread.Happen(ctx, site); err != nil {
				return err
			}
			return comeAndGo(ctx, p.Proxy+script.ConnectPath+"?"+script.Query(exchange, "log.unread"))
		},
		Over: func(context.Context, time.Time) error {
			unread, room, err := p.LogPipe()
			if err == nil && 2*unread > room {
				err = fmt.Errorf("%d of %d bytes of the log lie unread", unread, room)
			}
			return err
		},
	}
}

// visitors are enough for more lines of a log than its pipe takes.
const visitors = 20

// comeAndGo opens streams and leaves them at once.
func comeAndGo(ctx context.Context, url string) error {
	var under sync.WaitGroup
	failures := make([]error, visitors)
	for i := range visitors {
		under.Go(func() {
			s, err := clients.Open(ctx, url, clients.Options{})
			if failures[i] = err; err == nil {
				s.Close()
			}
		})
	}
	under.Wait()
	return errors.Join(failures...)
}

func watchFor(fault faults.Fault, site faults.Site) func(context.Context) (faults.Sign, error) {
	return func(ctx context.Context) (faults.Sign, error) { return fault.Watch(ctx, site) }
}

// wideHeaders publishes the next number with headers that are wider than a frame.
func wideHeaders(of func(exchange, key, body string) script.Fault) random.Harm {
	return random.Harm{
		Name: "wide headers", Does: "a message comes whose headers are wider than a frame", Every: 5 * time.Second, Scope: random.NoStream,
		Watch: of(randomExchange, random.RoutingKey, "").Watch,
		Publish: func(ctx context.Context, number int) error {
			return of(randomExchange, random.RoutingKey, string(random.Body(number))).Happen(ctx)
		},
	}
}

const (
	// rebindEvery is how often the proxy of a random run repeats its bindings.
	rebindEvery = 3 * time.Second
	// deafTime is how long its streams may be deaf to an exchange that was made again: a
	// period and half a minute, as the documentation says of the default period. Bindings are
	// repeated one at a time on each link: on a machine at its limit hundreds take that long.
	deafTime = rebindEvery + 30*time.Second
	// awayTime is how long the exchange is away.
	awayTime = 300 * time.Millisecond
)

// remade deletes the exchange of the run and makes it again. lists reports whether the broker
// lists an exchange.
func remade(publisher *random.Publisher, lists func(context.Context, string) (bool, error)) random.Harm {
	return random.Harm{
		Name: "exchange made again", Does: "the exchange is deleted, with its bindings, and made again", Every: 2 * deafTime, Quiet: 3 * rebindEvery, Scope: random.Everyone, Deaf: deafTime, SignPatience: deafTime,
		Codes: []actors.Code{actors.BindingRefused},
		Watch: func(context.Context) (faults.Sign, error) {
			return faults.Kept(func(ctx context.Context) (string, error) {
				is, err := lists(ctx, randomExchange)
				if err != nil || is {
					return "", err
				}
				return "the broker did not list the exchange", nil
			}, deafTime), nil
		},
		Do: func(ctx context.Context, _ random.Victim) error { return publisher.Remake(ctx, awayTime) },
	}
}

package operator

import (
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// A stream is seen in the table and the tree while it lives, and among the
// ends afterwards.
func TestTheTreeShowsAStreamThatOpensAndGoes(t *testing.T) {
	s := serve(t, false, actors.Options{})
	b := open(s)
	b.AwaitText("#no-streams", "No stream is open")
	c := s.connect("primary.#")
	b.AwaitText(row(c), "127.0.0.1")
	b.AwaitText(row(c), "task-completed")
	b.AwaitText(row(c), "primary.#")
	b.AwaitText(row(c), "ready")
	b.AwaitText("#streams-count", "1")

	connections := `.actor[data-role="connections"]`
	b.Click(connections + ` .fold-button`)
	connection := `.actor[data-role="connection"][data-stream="` + c.id + `"]`
	b.AwaitText(connection, "ready")
	b.Click(connection + ` .fold-button`)
	b.AwaitText(connection+` .actor[data-role="consumer"]`, "consuming")

	c.cancel()
	b.awaitGone(row(c))
	b.awaitGone(connection)
	b.AwaitText(`#ends tr[data-stream="`+c.id+`"]`, "The client left")
	b.AwaitText(`#codes [data-code="ClientGone"]`, "1")
}

// Shared queues have a branch of their own in the tree.
func TestTheTreeShowsFeeds(t *testing.T) {
	s := serve(t, false, actors.Options{ShareQueues: true})
	b := open(s)
	s.connect("#")
	s.connect("#")
	feeds := `.actor[data-role="feeds"]`
	b.AwaitText(feeds+` .number-of`, "1")
	b.Click(feeds + ` .fold-button`)
	b.AwaitText(feeds+` .actor[data-role="feed"]`, "ready")
}

// What is routed in the proxy has figures of its own, where anything is.
func TestThePageShowsWhatIsRouted(t *testing.T) {
	s := serve(t, true, actors.Options{RoutedExchanges: []string{"exchange/*/*", "exchange/*/*/*"}})
	b := open(s)
	b.awaitGone(".routed")
	c := s.connect("a.#")
	s.connect("b")
	s.connect("b")
	b.AwaitText(`.routed #figure-patterns`, "2")
	b.Click(row(c) + " .chaos")
	b.AwaitText("#confirm-choices", "feed")
}

// The client is told, and so knows that it may come back.
func TestEndingAStreamTellsItsClient(t *testing.T) {
	s := serve(t, false, actors.Options{})
	b := open(s)
	c, other := s.connect("a"), s.connect("b")
	b.Click(row(c) + " .end")
	b.AwaitText("#confirm", "ServerShutdown")
	b.Click("#confirm .cancel")
	b.awaitGone("#confirm")
	b.Click(row(c) + " .end")
	b.Click("#confirm .danger")
	c.told(actors.ServerShutdown)
	b.awaitGone(row(c))
	b.AwaitText("#toast", "was told to end")
	b.AwaitText(row(other), "ready")
}

// Without the chaos setting no request can make an actor fail.
func TestWithoutChaosNothingCanBeCrashed(t *testing.T) {
	s := serve(t, false, actors.Options{})
	b := open(s)
	c := s.connect("#")
	b.AwaitText(row(c), "ready")
	b.awaitGone(".chaos, #chaos")
}

// A broker that fails stands out in the tree, and is seen to be up again.
func TestABrokerThatCrashesIsSeenToHeal(t *testing.T) {
	s := serve(t, true, actors.Options{})
	b := open(s)
	c := s.connect("#")
	b.AwaitText(row(c), "ready")
	broker := `.actor[data-role="broker"]`
	b.Click(broker + ` .chaos`)
	b.AwaitText("#confirm", "Crash broker?")
	b.Click(`#confirm [data-crash="broker"]`)
	b.AwaitText(broker, "1 restart")
	b.Await(`document.querySelector('` + broker + `').classList.contains('recent')`)
	b.AwaitText(broker+` .failure`, "failed")
	b.AwaitText(broker+` .mood`, "up")
	b.AwaitText("#figure-restarts", "1")
	b.awaitGone(row(c))
	again := s.connect("#")
	b.AwaitText(row(again), "ready")
}

// Each actor of a stream may be made to fail; its client is told.
func TestAStreamsActorsCanBeCrashedWithChaos(t *testing.T) {
	s := serve(t, true, actors.Options{})
	b := open(s)
	b.AwaitText("#chaos", "chaos")
	for _, role := range []string{"connection", "consumer", "worker"} {
		c := s.connect("#")
		b.Click(row(c) + " .chaos")
		b.Click(`#confirm [data-crash="` + role + `"]`)
		c.told(actors.InternalError)
		b.AwaitText(`#ends tr[data-stream="`+c.id+`"]`, "InternalError")
	}
}

// Without a link the page states that, and what is done about it.
func TestNoLinkToTheBrokerIsShown(t *testing.T) {
	s := serve(t, false, actors.Options{})
	b := open(s)
	b.AwaitText("#links", "Link 1")
	s.broker.Stop()
	b.AwaitText("#no-links", "No link:")
	b.AwaitText("#figure-links", "0")
	s.broker.Start()
	b.AwaitText("#links", "Link 1")
	b.awaitGone("#no-links")
}

// The listener may be away: the page says since when, and comes back by itself.
func TestThePageReconnectsAfterTheListenerWasAway(t *testing.T) {
	s := serve(t, false, actors.Options{})
	b := open(s)
	s.away()
	b.AwaitState("lost")
	b.AwaitText("#lost", "does not answer")
	c := s.connect("#")
	s.listen()
	b.AwaitState("live")
	b.AwaitText(row(c), "ready")
	b.awaitGone("#lost")
}

// Where the operators' token has changed, the page says so and does not ask for a password time and
// again; with the new one it is as before.
func TestThePageSaysThatItHasNoAccessAnyMore(t *testing.T) {
	s := serve(t, false, actors.Options{})
	b := open(s)
	policy := s.proxy.Handler.Policy()
	policy.OperatorToken = "a token that the page does not have"
	if err := s.proxy.Handler.SetPolicy(policy); err != nil {
		t.Fatal(err)
	}
	s.away() // an open picture goes on; the next one is refused
	s.listen()
	b.AwaitState("denied")
	b.Await(`document.getElementById('denied').checkVisibility()`)
	b.awaitGone("#lost")
	policy.OperatorToken = ""
	if err := s.proxy.Handler.SetPolicy(policy); err != nil {
		t.Fatal(err)
	}
	// The browser's own question lies above the page and takes a mouse's clicks.
	b.Run(`document.getElementById('reload').click()`)
	for range 3 { // what is asked of a page that goes away has no answer
		if err := b.Try(`document.getElementById('state').dataset.state === 'live'`); err == nil {
			break
		}
	}
	b.AwaitState("live")
	b.awaitGone("#denied")
}

// A process that goes away says so to those who watch it.
func TestADrainIsShown(t *testing.T) {
	s := serve(t, false, actors.Options{})
	b := open(s)
	c := s.connect("#")
	b.AwaitText(row(c), "ready")
	b.awaitGone("#draining")
	if err := s.proxy.Drain(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	b.Await(`document.getElementById('draining').checkVisibility()`)
	b.AwaitText(`#ends tr[data-stream="`+c.id+`"]`, "shutting down")
}

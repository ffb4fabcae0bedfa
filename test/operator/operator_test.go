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
	b.awaitText("#no-streams", "No stream is open")
	c := s.connect("primary.#")
	b.awaitText(row(c), "127.0.0.1")
	b.awaitText(row(c), "task-completed")
	b.awaitText(row(c), "primary.#")
	b.awaitText(row(c), "ready")
	b.awaitText("#streams-count", "1")

	connections := `.actor[data-role="connections"]`
	b.click(connections + ` .fold-button`)
	connection := `.actor[data-role="connection"][data-stream="` + c.id + `"]`
	b.awaitText(connection, "ready")
	b.click(connection + ` .fold-button`)
	b.awaitText(connection+` .actor[data-role="consumer"]`, "consuming")

	c.cancel()
	b.awaitGone(row(c))
	b.awaitGone(connection)
	b.awaitText(`#ends tr[data-stream="`+c.id+`"]`, "The client left")
	b.awaitText(`#codes [data-code="ClientGone"]`, "1")
}

// Shared queues have a branch of their own in the tree.
func TestTheTreeShowsFeeds(t *testing.T) {
	s := serve(t, false, actors.Options{ShareQueues: true})
	b := open(s)
	s.connect("#")
	s.connect("#")
	feeds := `.actor[data-role="feeds"]`
	b.awaitText(feeds+` .number-of`, "1")
	b.click(feeds + ` .fold-button`)
	b.awaitText(feeds+` .actor[data-role="feed"]`, "ready")
}

// The client is told, and so knows that it may come back.
func TestEndingAStreamTellsItsClient(t *testing.T) {
	s := serve(t, false, actors.Options{})
	b := open(s)
	c, other := s.connect("a"), s.connect("b")
	b.click(row(c) + " .end")
	b.awaitText("#confirm", "ServerShutdown")
	b.click("#confirm .cancel")
	b.awaitGone("#confirm")
	b.click(row(c) + " .end")
	b.click("#confirm .danger")
	c.told(actors.ServerShutdown)
	b.awaitGone(row(c))
	b.awaitText("#toast", "was told to end")
	b.awaitText(row(other), "ready")
}

// Whoever did not ask for chaos finds no way to cause it.
func TestWithoutChaosNothingCanBeCrashed(t *testing.T) {
	s := serve(t, false, actors.Options{})
	b := open(s)
	c := s.connect("#")
	b.awaitText(row(c), "ready")
	b.awaitGone(".chaos, #chaos")
}

// A broker that fails stands out in the tree, and is seen to be up again.
func TestABrokerThatCrashesIsSeenToHeal(t *testing.T) {
	s := serve(t, true, actors.Options{})
	b := open(s)
	c := s.connect("#")
	b.awaitText(row(c), "ready")
	broker := `.actor[data-role="broker"]`
	b.click(broker + ` .chaos`)
	b.awaitText("#confirm", "Crash broker?")
	b.click(`#confirm [data-crash="broker"]`)
	b.awaitText(broker, "1 restart")
	b.await(`document.querySelector('` + broker + `').classList.contains('recent')`)
	b.awaitText(broker+` .failure`, "failed")
	b.awaitText(broker+` .mood`, "up")
	b.awaitText("#figure-restarts", "1")
	b.awaitGone(row(c))
	again := s.connect("#")
	b.awaitText(row(again), "ready")
}

// Each actor of a stream may be made to fail; its client is told.
func TestAStreamsActorsCanBeCrashedWithChaos(t *testing.T) {
	s := serve(t, true, actors.Options{})
	b := open(s)
	b.awaitText("#chaos", "chaos")
	for _, role := range []string{"connection", "consumer", "worker"} {
		c := s.connect("#")
		b.click(row(c) + " .chaos")
		b.click(`#confirm [data-crash="` + role + `"]`)
		c.told(actors.InternalError)
		b.awaitText(`#ends tr[data-stream="`+c.id+`"]`, "InternalError")
	}
}

// Without a link the page says so, and what is done about it.
func TestNoLinkToTheBrokerIsShown(t *testing.T) {
	s := serve(t, false, actors.Options{})
	b := open(s)
	b.awaitText("#links", "Link 1")
	s.broker.Stop()
	b.awaitText("#no-links", "No link:")
	b.awaitText("#figure-links", "0")
	s.broker.Start()
	b.awaitText("#links", "Link 1")
	b.awaitGone("#no-links")
}

// The listener may be away: the page says since when, and comes back by itself.
func TestThePageReconnectsAfterTheListenerWasAway(t *testing.T) {
	s := serve(t, false, actors.Options{})
	b := open(s)
	s.away()
	b.awaitState("lost")
	b.awaitText("#lost", "does not answer")
	c := s.connect("#")
	s.listen()
	b.awaitState("live")
	b.awaitText(row(c), "ready")
	b.awaitGone("#lost")
}

package actors

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// A stream that leaves while the channel for dead letters is being opened leaves no channel and no
// queue behind.
func TestDeadLettersEndThoughTheirStreamLeftWhileTheyWereOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory()
		defer broker.Close()
		link, err := broker.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer link.Close(0)
		channel, err := link.Channel()
		if err != nil {
			t.Fatal(err)
		}
		defer channel.Close()
		core, _ := newCore(Options{Dialer: broker}.withDefaults())
		defer core.actors.Shutdown()
		reports := make(chan spare, 3)
		d := newDeadLetters(core, link, func(s spare) { reports <- s })
		d.permit()
		broker.Freeze()
		go d.enter(channel, "q", func(int) {}) // ends with the thaw
		synctest.Wait()
		d.leave("q")
		broker.Thaw()
		if s := <-reports; !s.open {
			t.Fatalf("reported %+v: it was not being opened", s)
		}
		time.Sleep(2 * dropsLinger)
		synctest.Wait()
		if q, n := broker.Queues(), broker.Channels(); len(q) != 0 || n != 1 {
			t.Fatalf("queues %v and %d channels are left", q, n-1)
		}
		core.work.Wait()
	})
}

package actors_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// hostSystem is the actor system of a program that embeds us.
func hostSystem(t *testing.T) *actor.ActorSystem {
	host := actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond),
	)
	t.Cleanup(func() { host.Shutdown(); time.Sleep(2 * time.Millisecond) })
	return host
}

// echo answers what it is told: it shows that its actor system is alive.
type echo struct{}

func (echo) Receive(ctx actor.Context) {
	if text, ok := ctx.Message().(string); ok {
		ctx.Respond(text)
	}
}

// host is an actor of the embedding program that opens a System below itself.
type host struct {
	options actors.Options
	opened  chan *actors.System // one for each life
}

func (h *host) Receive(ctx actor.Context) {
	switch ctx.Message().(type) {
	case *actor.Started:
		o := h.options
		o.Parent = ctx
		system, err := actors.Open(o)
		if err != nil {
			panic(err)
		}
		h.opened <- system
	case string:
		panic("the host's own defect")
	}
}

// The host's actor system is the host's: it goes on after Close.
func TestASystemInAHostsActorSystemEndsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := hostSystem(t)
		f := openOn(t, amqp.NewMemory(), func(o *actors.Options) { o.System = system })
		f.works()
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		pid := system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return echo{} }))
		answer, err := system.Root.RequestFuture(pid, "alive", time.Second).Result()
		if err != nil || answer != "alive" {
			t.Fatalf("the host's actor system answers %v, %v", answer, err)
		}
		_ = system.Root.StopFuture(pid).Wait()
		for _, shard := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
			for id := range shard.Items() {
				if strings.HasPrefix(id, "events$") {
					t.Errorf("%s is left in the host's actor system", id)
				}
			}
		}
	})
}

// Several Systems share one actor system without knowing of each other.
func TestSeveralSystemsLiveInOneActorSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := hostSystem(t)
		var all []*fixture
		for range 3 {
			all = append(all, openOn(t, amqp.NewMemory(), func(o *actors.Options) { o.System = system }))
		}
		streams := []*actors.Stream{all[0].ready(task, "#"), all[1].ready(task, "#"), all[2].ready(task, "#")}
		all[0].publish("a", 1)
		all[0].messages(streams[0], 1)
		all[0].crash(actors.RoleEvents, "")
		all[0].end(streams[0])
		if err := all[1].Close(); err != nil {
			t.Fatal(err)
		}
		all[1].ends(streams[1], actors.ServerShutdown)
		all[2].publish("a", 2)
		all[2].messages(streams[2], 2)
		synctest.Wait()
		all[0].works()
	})
}

// Below a host's actor the tree lives and dies with it, and streams hear of it.
func TestASystemBelowAHostsActorEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := hostSystem(t)
		f, pid, opened := openBelow(t, system)
		s := f.ready(task, "#")
		f.publish("a", 1)
		f.messages(s, 1)
		if id := f.Snapshot().Actors[0].ID; !strings.HasPrefix(id, pid.Id+"/") {
			t.Fatalf("the root of the tree is %s, want it below %s", id, pid.Id)
		}
		if err := system.Root.StopFuture(pid).Wait(); err != nil {
			t.Fatal(err)
		}
		<-f.Done()
		if f.Err() == nil {
			t.Fatal("the System was ended without Close, but Err is nil")
		}
		f.end(s)
		if len(opened) != 0 {
			t.Fatal("another was opened")
		}
	})
}

// A host's actor that is restarted opens a System anew; the old one ends whole.
func TestAHostsActorMayBeRestarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := hostSystem(t)
		f, pid, opened := openBelow(t, system)
		s := f.ready(task, "#")
		system.Root.Send(pid, "fail")
		<-f.Done()
		f.end(s)
		again := *f
		again.System = <-opened
		again.works()
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		_ = system.Root.StopFuture(pid).Wait()
	})
}

// openBelow opens a System below an actor of the host's.
func openBelow(t *testing.T, system *actor.ActorSystem) (f *fixture, pid *actor.PID, opened chan *actors.System) {
	broker := amqp.NewMemory()
	f = &fixture{broker: broker, record: newRecorder(t, broker), t: t}
	f.pub, _ = broker.Publisher(t.Context())
	f.declare(task)
	opened = make(chan *actors.System, 2) // one for each life of the host's actor
	pid = system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor {
		return &host{options: actors.Options{Dialer: f.record, Namespace: "tester"}, opened: opened}
	}))
	f.System = <-opened
	t.Cleanup(f.close)
	return f, pid, opened
}

// What an operator should know is logged by us; the actor system's own remarks
// are debug lines.
func TestTheLogTellsOfLinksAndFailuresAndNothingElse(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		synctest.Test(t, func(t *testing.T) {
			var text strings.Builder
			f := openOn(t, amqp.NewMemory(), func(o *actors.Options) {
				o.Logger = slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: level}))
			})
			s := f.ready(task, "#")
			f.crash(actors.RoleWorker, s.ID())
			f.end(s)
			f.ends(f.connect("exchange/none", "#"), actors.BindingRefused)
			f.broker.DropLinks()
			synctest.Wait()
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Millisecond)
			log := text.String()
			for _, line := range []string{
				`level=INFO msg="broker link up"`, `level=ERROR msg="actor failed" role=consumer stream=` + s.ID(),
				`level=WARN msg="broker link lost" error="link: link lost`,
			} {
				if !strings.Contains(log, line) {
					t.Errorf("no line %s in\n%s", line, log)
				}
			}
			// A client's mistake and a lost link are no actor's failure.
			if n := strings.Count(log, `msg="actor failed"`); level == slog.LevelInfo && n != 1 {
				t.Errorf("%d actors have failed:\n%s", n, log)
			}
			if own := strings.Contains(log, "actor system started"); own != (level == slog.LevelDebug) {
				t.Errorf("at level %s the actor system's own lines: %t", level, own)
			}
		})
	}
}

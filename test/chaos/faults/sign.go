package faults

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/clients"
)

// Sign looks for an independent sign of a fault that has happened: one that does
// not come from the code that made it happen. It returns "" while there is none, and may
// be called again and again until there is one; an error is no sign.
type Sign func(ctx context.Context) (string, error)

// watch takes what a sign will be compared with, before the fault happens.
type watch = func(ctx context.Context, s Site) (Sign, error)

// held is a sign that bytes were under way in the gate for so long.
func held(atLeast time.Duration) watch {
	return measured(func(t traffic) string {
		if t.Held < atLeast {
			return ""
		}
		return fmt.Sprintf("bytes were under way for %s", t.Held.Round(time.Millisecond))
	})
}

// cut is a sign that the gate ended connections which neither end had ended.
func cut(_ context.Context, s Site) (Sign, error) {
	s.Gate.wire.mark()
	return func(context.Context) (string, error) {
		if n := s.Gate.wire.seen().Cut; n > 0 {
			return fmt.Sprintf("%d connections ended though neither end had ended them", n), nil
		}
		return "", nil
	}, nil
}

// sliced is a sign that bytes leave the gate in smaller pieces than they enter it.
var sliced = measured(func(t traffic) string {
	const enough = 500 // bytes
	if t.Left < enough || t.PiecesOut < 2*t.PiecesIn {
		return ""
	}
	return fmt.Sprintf("%d bytes came in %d pieces and left in %d", t.Left, t.PiecesIn, t.PiecesOut)
})

func measured(says func(traffic) string) watch {
	return func(_ context.Context, s Site) (Sign, error) {
		s.Gate.wire.mark()
		return func(context.Context) (string, error) { return says(s.Gate.wire.seen()), nil }, nil
	}
}

// refusing is a sign that an address refuses connections.
func refusing(address func(Site) string) watch {
	return func(_ context.Context, s Site) (Sign, error) {
		return func(ctx context.Context) (string, error) {
			conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address(s))
			if err != nil {
				return "a connection is refused: " + err.Error(), nil
			}
			return "", conn.Close()
		}, nil
	}
}

func nodeAddress(s Site) string { return s.Node.Address() }
func gateAddress(s Site) string { return s.Gate.Address() }

// replaced is a sign that the broker's process is another one.
func replaced(_ context.Context, s Site) (Sign, error) {
	before := fmt.Sprint(s.Node.Processes())
	return func(context.Context) (string, error) {
		if now := fmt.Sprint(s.Node.Processes()); now != before {
			return fmt.Sprintf("the broker's processes were %s and are %s", before, now), nil
		}
		return "", nil
	}, nil
}

// stopped is a sign that the kernel has stopped the broker's process.
func stopped(_ context.Context, s Site) (Sign, error) {
	return func(context.Context) (string, error) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.Node.Processes()[0]))
		if _, fields, ok := strings.Cut(string(stat), ") "); ok && strings.HasPrefix(fields, "T") {
			return "the kernel has stopped the broker's process", nil
		}
		return "", err
	}, nil
}

// alarmed is a sign that the broker has raised an alarm.
func alarmed(_ context.Context, s Site) (Sign, error) {
	return func(ctx context.Context) (string, error) {
		if n, err := s.Node.Alarms(ctx); err != nil || n == 0 {
			return "", err
		}
		return "the broker has an alarm, by its own account", nil
	}, nil
}

// barred is a sign that a URL no longer opens a link.
func barred(address func(Site) string) watch {
	return func(_ context.Context, s Site) (Sign, error) {
		return func(ctx context.Context) (string, error) {
			dialer, err := amqp.NewRabbitMQ(address(s), amqp.RabbitMQOptions{Name: "events-chaos"})
			if err != nil {
				return "", err
			}
			link, err := dialer.Dial(ctx)
			if err != nil {
				return "the broker refuses a link", nil
			}
			link.Close(time.Second)
			return "", nil
		}, nil
	}
}

func asProxy(s Site) string { return s.VHost.URL(s.User, s.Password) }
func asAdmin(s Site) string { return s.VHost.AdminURL() }

// gone is a sign that what the broker listed before is no longer there.
func gone(what string, of func(rabbit.Residents) []string) watch {
	return func(ctx context.Context, s Site) (Sign, error) {
		before, err := s.VHost.Residents(ctx)
		if err != nil {
			return nil, err
		}
		if len(of(before)) == 0 {
			return nil, fmt.Errorf("the broker lists no %s of the proxy's", what)
		}
		return func(ctx context.Context) (string, error) {
			now, err := s.VHost.Residents(ctx)
			if n, all := rabbit.Gone(of(before), of(now)); err == nil && all {
				return fmt.Sprintf("the broker no longer lists %d %s", n, what), nil
			}
			return "", err
		}, nil
	}
}

func connections(r rabbit.Residents) []string { return r.Connections }
func channels(r rabbit.Residents) []string    { return r.Channels }
func queues(r rabbit.Residents) []string      { return r.Queues }

// unread is a sign that bytes lie in the clients' sockets which they do not read.
func unread(_ context.Context, s Site) (Sign, error) {
	return ofClients(s, "bytes lie unread in a client's socket", (*clients.Stream).Unread), nil
}

// unacknowledged is a sign that bytes were sent to the clients which their machine
// has not acknowledged.
func unacknowledged(_ context.Context, s Site) (Sign, error) {
	return ofClients(s, "bytes sent to a client are not acknowledged", (*clients.Stream).Unacknowledged), nil
}

func ofClients(s Site, says string, count func(*clients.Stream) (int, error)) Sign {
	return func(context.Context) (string, error) {
		for _, client := range s.Clients {
			if n, err := count(client); err != nil || n > 0 {
				return says, err
			}
		}
		return "", nil
	}
}

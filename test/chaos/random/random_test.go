package random_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos/check"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/history"
	"github.com/taskcluster/events-proxy/test/chaos/leaks"
	"github.com/taskcluster/events-proxy/test/chaos/random"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(m), leaks.OfToxiproxy()...) }

const exchange = "exchange/chaos/random"

// Whatever is broken at random, in either mode: every end is told, nothing is
// lost unsaid, the tree heals, and neither broker nor process keep anything.
func TestATreeThatIsHarmedAtRandomHealsAndLeavesNothingBehind(t *testing.T) {
	for name, flags := range map[string][]string{"dedicated": nil, "shared": {"--share-queues"}} {
		t.Run(name, func(t *testing.T) {
			node := rabbit.Run(t)
			proxy, operator := serve(t, node.URL(), flags...)
			broker, err := amqp.NewRabbitMQ(node.URL(), amqp.RabbitMQOptions{})
			if err != nil {
				t.Fatal(err)
			}
			publisher := random.NewPublisher(broker, exchange)
			defer publisher.Close()
			if err := publisher.Declare(t.Context()); err != nil {
				t.Fatal(err)
			}
			var lines bytes.Buffer
			recorder := history.New(&lines)
			report, err := random.Run(t.Context(), random.Options{
				Proxy: proxy, Operator: operator, Exchange: exchange, Clients: 40, For: 10 * time.Second, Seed: 1,
				Publish: publisher.Publish,
				Harms: []random.Harm{
					{
						Name: "close connections", Every: 3 * time.Second, Scope: random.Everyone,
						Codes: []actors.Code{actors.BrokerLost, actors.BrokerUnavailable}, Do: to(node.CloseConnections),
					},
					{
						Name: "close channels", Every: time.Second, Scope: random.Everyone,
						Codes: []actors.Code{actors.BrokerLost, actors.BrokerUnavailable}, Watch: channelsGone(node), Do: to(node.CloseChannels),
					},
				},
				Memory: 300 << 20, Shared: name == "shared",
				Log: t.Output(), History: recorder,
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := node.Clean(t.Context(), amqp.QueuePrefix("guest"), 1); err != nil { // the publisher's
				t.Error(err)
			}
			if report.Print(t.Output()); !report.Passed() || report.Reached.Codes["InternalError"] == 0 || report.Reached.Codes["BrokerLost"] == 0 {
				t.Errorf("%s: %q %q", report.Verdict, report.Violations, report.Unknown)
			}
			if judgement := judged(t, recorder, &lines); judgement.Verdict != check.Pass || len(judgement.Disagrees) > 0 {
				t.Errorf("%+v", judgement)
			}
		})
	}
}

// to is a harm that aims at no stream.
func to(do func(context.Context) error) func(context.Context, random.Victim) error {
	return func(ctx context.Context, _ random.Victim) error { return do(ctx) }
}

// channelsGone is the broker's own sign that its channels were closed.
func channelsGone(node *rabbit.Node) func(context.Context) (faults.Sign, error) {
	return func(ctx context.Context) (faults.Sign, error) {
		before, err := node.Residents(ctx)
		return func(ctx context.Context) (string, error) {
			now, err := node.Residents(ctx)
			if n, all := rabbit.Gone(before.Channels, now.Channels); err == nil && all {
				return fmt.Sprintf("%d channels are gone", n), nil
			}
			return "", err
		}, err
	}
}

// A proxy that has not got a link is no proxy in health, against which the time
// after the harm could be held.
func TestAProxyWithoutALinkIsNotHarmed(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/__tree__" {
			t.Errorf("it was asked for %s", r.URL.Path)
		}
		w.Write([]byte(`{"links":[]}`))
	}))
	defer proxy.Close()
	_, err := random.Run(t.Context(), random.Options{
		Proxy: proxy.URL, Operator: proxy.URL, Exchange: exchange, Patience: 100 * time.Millisecond,
		Publish: func(context.Context, int) error { return nil },
	})
	if err == nil || !strings.Contains(err.Error(), "no link to its broker") {
		t.Errorf("got %v", err)
	}
}

// serve runs the real proxy until the test ends.
func serve(t *testing.T, broker string, flags ...string) (proxy, operator string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "events")
	if out, err := exec.Command("go", "build", "-o", binary, "github.com/taskcluster/events-proxy/cmd/events").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ports := freePorts(t)
	flags = append([]string{"serve", "--host", "127.0.0.1", "--port", ports[0], "--operator", "127.0.0.1:" + ports[1],
		"--chaos", "--linger", "100ms"}, flags...)
	command := exec.Command(binary, flags...)
	command.Env = append(rabbit.Environ(), "PULSE_URL="+broker, "GOMEMLIMIT=300MiB")
	command.Dir = t.TempDir()
	log := &strings.Builder{}
	command.Stderr = log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		command.Process.Signal(os.Interrupt)
		if err := command.Wait(); err != nil {
			t.Errorf("the proxy's end: %v\n%s", err, log)
		}
	})
	proxy, operator = "http://127.0.0.1:"+ports[0], "http://127.0.0.1:"+ports[1]
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for deadline := time.Now().Add(10 * time.Second); ; {
		if answer, err := client.Get(proxy + "/__heartbeat__"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return proxy, operator
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the proxy is not ready:\n%s", log)
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
}

// freePorts returns two ports that were free a moment ago.
func freePorts(t *testing.T) (ports [2]string) {
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, ports[i], _ = net.SplitHostPort(l.Addr().String())
	}
	return ports
}

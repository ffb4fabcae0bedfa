package rabbit_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// others is a broker that others run, as far as the node knows: all that
// there is of it is two addresses.
func others(t *testing.T) *rabbit.Node {
	t.Helper()
	own, err := rabbit.StartManagedNode(bounded(t), t.TempDir())
	must(t, err)
	t.Cleanup(func() { own.Close() })
	t.Setenv("PULSE_TEST_URL", own.URL())
	t.Setenv("PULSE_TEST_MANAGEMENT_URL", own.ManagementURL())
	return rabbit.Broker(t)
}

// A broker that others run is asked through its management plugin: the same
// evidence, and virtual hosts, users and permissions of the tests' own.
func TestABrokerOfOthersGivesEvidenceThroughItsManagement(t *testing.T) {
	n, ctx := others(t), bounded(t)
	must(t, n.AddUser(ctx, "bob", "old"))
	must(t, n.ChangePassword(ctx, "bob", "secret"))
	host, err := n.VHost(ctx, "a/host", "bob", "exchange/secret/")
	must(t, err)
	publisher := publisherAt(t, host.AdminURL())
	must(t, publisher.Declare(ctx, "exchange/evidence", "topic"))
	link := dialURL(t, host.URL("bob", "secret"))
	c := consuming(t, link, "a")
	if err := c.Bind("queue/bob/exclusive/a", amqp.Binding{Exchange: "exchange/secret/x"}); !isCode(err, amqp.AccessRefused) {
		t.Errorf("a secret exchange can be read: %v", err)
	}
	c = consuming(t, link, "b")
	must(t, c.Bind("queue/bob/exclusive/b", amqp.Binding{Exchange: "exchange/evidence", Pattern: "#"}))

	eventually(t, "the statistics are there", func() bool { // of channels and consumers, the others are live
		s, err := host.Snapshot(ctx)
		must(t, err)
		return s.Channels == 1 && s.Consumers == 1
	})
	s, err := host.Snapshot(ctx)
	must(t, err)
	if !slices.Equal(s.Queues, []string{"queue/bob/exclusive/b"}) || !slices.Equal(s.Exchanges, []string{"exchange/evidence"}) ||
		s.Consumers != 1 || s.Bindings != 1 {
		t.Errorf("got %+v", s)
	}
	if all, err := n.Snapshot(ctx); err != nil || len(all.Queues) != 1 {
		t.Errorf("got %+v, %v", all, err)
	}
	must(t, host.CloseConnections(ctx))
	lost(t, link)
	must(t, n.Clean(ctx, "queue/bob/", 1)) // the publisher's channel
	must(t, host.Delete(ctx))
	must(t, n.DeleteUser(ctx, "bob"))
	must(t, n.DeleteUser(ctx, "bob")) // it is deleted already
}

// What would harm the process of a broker that others run is refused.
func TestABrokerOfOthersIsNotHarmed(t *testing.T) {
	n, ctx := others(t), bounded(t)
	must(t, n.AddUser(ctx, "bob", "secret"))
	host, err := n.VHost(ctx, "host", "bob", "")
	must(t, err)
	if !n.External() || n.URL() != os.Getenv("PULSE_TEST_URL") || !strings.Contains(n.URL(), n.Address()) {
		t.Errorf("got %s at %s", n.URL(), n.Address())
	}
	for _, err := range []error{n.Kill(), n.Stop(ctx), n.Start(ctx), n.Freeze(), n.DeleteQueue(ctx, "a"), n.CloseChannels(ctx), n.CloseConnections(ctx), host.DeleteQueues(ctx)} {
		if !errors.Is(err, rabbit.ErrExternal) {
			t.Errorf("got %v", err)
		}
	}
	must(t, n.Close())
	if _, err := n.Snapshot(ctx); err != nil {
		t.Errorf("it does not live on: %v", err)
	}
}

// Statistics that have outlived what they are of, such as a channel's whose connection was closed a
// moment ago, have an empty list where its details would stand: they are counted as nothing, and no
// error.
func TestWhatTheManagementKnowsNoMoreIsNotCounted(t *testing.T) {
	answers := map[string]string{
		"/api/queues":      `[{"name":"queue/ours/a","vhost":"/"}]`,
		"/api/exchanges":   `[]`,
		"/api/consumers":   `[{"queue":[]},{"queue":{"name":"queue/ours/a","vhost":"/"}},[]]`,
		"/api/bindings":    `[]`,
		"/api/connections": `[{"name":"peers","vhost":"/","user":"u","client_properties":{"connection_name":"events-proxy"}},{"name":"gone","vhost":"/","client_properties":[]},[]]`,
		"/api/channels":    `[{"connection_details":{"name":"peers"}},{"connection_details":[]},[]]`,
	}
	plugin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, answers[r.URL.Path]) }))
	defer plugin.Close()
	m, err := rabbit.NewManagement(strings.Replace(plugin.URL, "http://", "http://user:password@", 1))
	must(t, err)
	s, err := m.Of(t.Context(), "/", "queue/ours/", "events-proxy")
	if err != nil || len(s.Queues) != 1 || s.Consumers != 1 || s.Connections != 1 || s.Channels != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// A wrong address, and one on which nothing listens, are errors.
func TestAManagementThatCannotBeAskedSaysSo(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:15672", "amqp://host", "http://"} {
		if _, err := rabbit.NewManagement(address); err == nil || !strings.Contains(err.Error(), "http://user:password@host:15672") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for address, says := range map[string]string{
		"":                            "amqp://user:password@host:5672/vhost",
		"amqp://127.0.0.1":            "amqp://user:password@host:5672/vhost",
		"amqp://ada:hunter2@host:x":   "amqp://user:password@host:5672/vhost",
		"amqp://ada:hunter2@[::1]:1/": "management plugin is needed (PULSE_TEST_MANAGEMENT_URL)", // where no server listens
	} {
		if _, err := rabbit.External(bounded(t), address, ""); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", address, err)
		}
	}
	m, err := rabbit.NewManagement("http://guest:guest@127.0.0.1:1")
	must(t, err)
	if _, err := m.Of(t.Context(), "/", "queue/", "events-proxy"); err == nil || strings.Contains(err.Error(), "guest:guest") {
		t.Errorf("got %v", err)
	}
}

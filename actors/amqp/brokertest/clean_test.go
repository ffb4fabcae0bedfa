package brokertest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest"
)

// Each kind of thing that a test forgets fails it, and is named.
func TestWhatATestForgetsFailsIt(t *testing.T) {
	for forgets, work := range map[string]func(*testing.T, *amqp.Memory) (tidy func()){
		"1 connections left": func(t *testing.T, m *amqp.Memory) func() {
			l := link(t, m)
			return func() { l.Close(time.Second) }
		},
		"1 channels left": func(t *testing.T, m *amqp.Memory) func() {
			l := link(t, m)
			channel(t, l)
			return func() { l.Close(time.Second) }
		},
		"1 queues left: queue/x/1": func(t *testing.T, m *amqp.Memory) func() {
			l := link(t, m)
			if err := channel(t, l).Declare("queue/x/1", amqp.QueueLimits{}); err != nil {
				t.Fatal(err)
			}
			return func() { l.Close(time.Second) }
		},
		"1 exchanges left: exchange/x": func(t *testing.T, m *amqp.Memory) func() {
			p, err := m.Publisher(t.Context())
			if err == nil {
				err = p.Declare(t.Context(), "exchange/x", "topic")
			}
			if err != nil {
				t.Fatal(err)
			}
			p.Close()
			return func() {}
		},
		"a goroutine left": func(*testing.T, *amqp.Memory) func() {
			stop := make(chan struct{})
			go func() { <-stop }()
			return func() { close(stop) }
		},
	} {
		t.Run(forgets, func(t *testing.T) {
			m := amqp.NewMemory()
			defer m.Close()
			r := &recorder{}
			brokertest.Clean(brief{r}, brokertest.Memory(m))
			tidy := work(t, m)
			r.end()
			if !strings.Contains(r.said, forgets) {
				t.Errorf("%q is not in %q", forgets, r.said)
			}
			tidy()
		})
	}
}

// A test that tidies up passes, also when what it used goes a moment later, and what
// was there before is not held against it.
func TestATestThatTidiesUpPasses(t *testing.T) {
	m := amqp.NewMemory()
	defer m.Close()
	before := link(t, m)
	defer before.Close(time.Second)
	r := &recorder{}
	brokertest.Clean(r, brokertest.Memory(m))
	l := link(t, m)
	go func() { // ends before Clean gives up
		time.Sleep(50 * time.Millisecond) // it is late: that is the case
		l.Close(time.Second)
	}()
	r.end()
	if r.said != "" {
		t.Error(r.said)
	}
}

// A broker that cannot be asked proves nothing.
func TestABrokerThatCannotBeAskedFailsTheTest(t *testing.T) {
	r := &recorder{}
	brokertest.Clean(r, brokertest.RabbitMQ("http://guest:hidden@127.0.0.1:1", "/"))
	if !strings.Contains(r.said, "before the test") || strings.Contains(r.said, "hidden") {
		t.Errorf("%q", r.said)
	}
}

// The plugin's lists are read as they are: what is the broker's own is not counted,
// and an account that may be old is not believed at once.
func TestTheManagementPluginIsRead(t *testing.T) {
	asked, started := map[string]int{}, time.Now()
	plugin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.EscapedPath()]++
		name, password, _ := r.BasicAuth()
		if name != "guest" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		late := time.Since(started) > 200*time.Millisecond
		switch {
		case strings.Contains(r.URL.Path, "exchanges"):
			w.Write([]byte(`[{"name":""},{"name":"amq.topic"},{"name":"exchange/x"}]`))
		case strings.Contains(r.URL.Path, "bindings"):
			w.Write([]byte(`[{"source":"","destination":"q"},{"source":"exchange/x","destination":"q","properties_key":"#"}]`))
		case strings.Contains(r.URL.Path, "connections") && late:
			w.Write([]byte(`[{"name":"127.0.0.1:4 -> 127.0.0.1:5672"}]`))
		default:
			w.Write([]byte(`[]`))
		}
	}))
	defer plugin.Close()
	broker := brokertest.RabbitMQ(strings.Replace(plugin.URL, "://", "://guest:secret@", 1), "a/b")
	broker.StatisticsLag = 400 * time.Millisecond
	census, err := broker.Census(t.Context())
	if err != nil || len(census.Exchanges) != 1 || len(census.Bindings) != 1 || asked["/api/queues/a%2Fb"] != 1 {
		t.Fatalf("%v, %+v, %v", err, census, asked)
	}
	r := &recorder{}
	brokertest.Clean(brief{r}, broker)
	r.end()
	if !strings.Contains(r.said, "1 connections left: 127.0.0.1:4 -> 127.0.0.1:5672") {
		t.Errorf("a connection that the statistics told of late was not found: %q", r.said)
	}
}

// recorder is a test that ends when it is told to.
type recorder struct {
	said     string
	cleanups []func()
}

func (r *recorder) Helper()                      {}
func (r *recorder) Errorf(f string, args ...any) { r.said += fmt.Sprintf(f, args...) }
func (r *recorder) Fatalf(f string, args ...any) { r.Errorf(f, args...) }
func (r *recorder) Cleanup(f func())             { r.cleanups = append(r.cleanups, f) }
func (r *recorder) end() {
	for _, f := range r.cleanups {
		f()
	}
}

// brief is a T whose Clean is not patient.
type brief struct{ *recorder }

func (brief) Patience() time.Duration { return 300 * time.Millisecond }

func link(t *testing.T, m *amqp.Memory) amqp.Link {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	l, err := m.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func channel(t *testing.T, l amqp.Link) amqp.Channel {
	t.Helper()
	c, err := l.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

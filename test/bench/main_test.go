package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// The baselines are this test binary again, with a role.
const (
	roleVariable   = "BENCH_ROLE"
	brokerVariable = "BENCH_BROKER"
	countVariable  = "BENCH_COUNT"
)

func TestMain(m *testing.M) {
	var all syscall.Rlimit // a descriptor for each client, and one for its stream
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &all) == nil {
		all.Cur = all.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &all)
	}
	broker := os.Getenv(brokerVariable)
	var err error
	switch os.Getenv(roleVariable) {
	case "sockets":
		err = Sockets(context.Background(), broker)
	case "consumers":
		n, _ := strconv.Atoi(os.Getenv(countVariable))
		err = Consumers(broker, bareTopic, n, ownPrefetch)
	case "consumer": // the least that could take part in routing: one queue for everything
		err = Consumers(broker, "#", 1, feedPrefetch)
	case "writing":
		err = WritingConsumers(broker)
	default:
		status := rabbit.Main(m).Run()
		os.RemoveAll(folder)
		os.Exit(status)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// binary is the proxy's program, built once; the variable names one that is
// there, to compare two versions.
var (
	binary = os.Getenv("BENCH_PROGRAM")
	folder string // where it was built
)

func program(t testing.TB) string {
	t.Helper()
	if binary == "" {
		var err error
		if folder, err = os.MkdirTemp("", "events-bench-"); err != nil {
			t.Fatal(err)
		}
		path := folder + "/events"
		if out, err := exec.Command("go", "build", "-trimpath", "-o", path, "../../cmd/events").CombinedOutput(); err != nil {
			t.Fatalf("build the proxy: %v\n%s", err, out)
		}
		binary = path
	}
	return binary
}

// serve starts the proxy; mode is "shared", "routed" or "dedicated".
func serve(t testing.TB, mode string, flags ...string) *Process {
	t.Helper()
	flags = append([]string{"serve", "--host", "127.0.0.1", "--port", "0"}, flags...)
	switch mode {
	case "shared":
		flags = append(flags, "--share-queues")
	case "routed":
		flags = append(flags, "--routed-exchanges", Exchange)
	}
	return start(t, []string{"PULSE_URL=" + rabbit.Run(t).URL()}, program(t), flags...)
}

// bare starts a baseline; n is for consumers.
func bare(t testing.TB, role string, n int) *Process {
	t.Helper()
	own, err := os.Executable() // not os.Args[0], which may be relative: Start changes the folder
	if err != nil {
		t.Fatal(err)
	}
	return start(t, []string{roleVariable + "=" + role, brokerVariable + "=" + rabbit.Run(t).URL(), countVariable + "=" + strconv.Itoa(n)}, own)
}

func start(t testing.TB, env []string, name string, arguments ...string) *Process {
	t.Helper()
	p, err := Start(env, name, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill() })
	return p
}

// publisher returns one whose exchange is there.
func publisher(t testing.TB) amqp.Publisher {
	t.Helper()
	dialer, err := amqp.NewRabbitMQ(rabbit.Run(t).URL(), amqp.RabbitMQOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := dialer.Publisher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if err := p.Declare(t.Context(), Exchange, "topic"); err != nil {
		t.Fatal(err)
	}
	return p
}

// brokerUsage is that of the private node.
func brokerUsage(t testing.TB) Usage { return UsageOf(rabbit.Run(t).Processes()...) }

// sameTopic is everybody's.
func sameTopic(int) string { return "k" }

func toBare(int) string { return bareTopic }

func samePath(int) string { return Path("k") }

// fleet opens n clients and waits until they are ready.
func fleet(t testing.TB, p *Process, n int, path func(int) string) *Fleet {
	t.Helper()
	f := &Fleet{}
	t.Cleanup(f.Close)
	must(t, f.Open(p.URL, n, openAtOnce, path))
	must(t, Await("clients ready", &f.Ready, int64(n), openPatience))
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// median of three or so.
func median(figures []float64) float64 {
	slices.Sort(figures)
	return figures[len(figures)/2]
}

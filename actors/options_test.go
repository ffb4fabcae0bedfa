package actors

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// An operator with five mistakes learns of five, each by its name.
func TestOpenNamesEveryProblemAtOnce(t *testing.T) {
	_, err := Open(Options{
		Namespace: "a\nb", PingPeriod: -1, AllowExchanges: []string{"ok", "["},
		Limits: Limits{
			Streams: -1, StreamsPerAddress: -1, StreamsPerSubject: -1, ConnectsPerSecond: -1, StreamAge: -1, IPv6Prefix: -1, Bindings: -1, MessageBytes: -1, Prefetch: -1,
			FeedPrefetch: -1, BacklogBytes: -1, Linger: -1, Declares: -1, ChannelsPerLink: -1, SlowAfter: -1, Backlog: -1, MaxLength: -1, RebindEvery: -1,
		},
	})
	if err == nil {
		t.Fatal("opened")
	}
	problems := []string{"Dialer", "Namespace", "PingPeriod", `AllowExchanges: "["`}
	limits := reflect.TypeFor[Limits]()
	for i := range limits.NumField() { // a new limit must not be forgotten
		problems = append(problems, "Limits."+limits.Field(i).Name+" is negative")
	}
	for _, problem := range problems {
		if !strings.Contains(err.Error(), problem) {
			t.Errorf("%s is not named in\n%v", problem, err)
		}
	}
}

func TestLimitsThatContradictEachOtherAreRefused(t *testing.T) {
	for name, limits := range map[string]Limits{
		"Prefetch":     {Prefetch: 65536},
		"FeedPrefetch": {FeedPrefetch: 65536},
		"IPv6Prefix":   {IPv6Prefix: 129},
		"MaxLength":    {Backlog: 100, MaxLength: 100},
	} {
		_, err := Open(Options{Dialer: amqp.NewMemory(), Limits: limits})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheZeroValueOfEveryOptionWorks(t *testing.T) {
	o := Options{Dialer: amqp.NewMemory()}.withDefaults()
	if err := o.validate(); err != nil {
		t.Fatal(err)
	}
	if o.Namespace != "guest" || o.PingPeriod != 20*time.Second || o.Logger == nil || o.Limits != DefaultLimits() {
		t.Fatalf("%+v", o)
	}
}

// Pulse lets a user make queues under its own name only: it need not be said twice.
func TestTheNamespaceIsTheBrokersUser(t *testing.T) {
	broker, err := amqp.NewRabbitMQ("amqps://ada:secret@broker.test", amqp.RabbitMQOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := (Options{Dialer: broker}).withDefaults().Namespace; got != "ada" {
		t.Errorf("the namespace is %q", got)
	}
	if got := (Options{Dialer: broker, Namespace: "n"}).withDefaults().Namespace; got != "n" {
		t.Errorf("the namespace is %q", got)
	}
}

func TestGivenOptionsAreKept(t *testing.T) {
	limits := Limits{
		Streams: 1, StreamsPerAddress: 2, StreamsPerSubject: 16, ConnectsPerSecond: math.Pi, StreamAge: time.Hour, IPv6Prefix: 14, Bindings: 3, MessageBytes: 4, Prefetch: 5, FeedPrefetch: 6,
		BacklogBytes: 7, Linger: 8, Declares: 9, ChannelsPerLink: 10, SlowAfter: 11, Backlog: 12, MaxLength: 13, RebindEvery: 15,
	}
	o := Options{Dialer: amqp.NewMemory(), Namespace: "n", PingPeriod: time.Second, Limits: limits}.withDefaults()
	if o.Limits != limits || o.Namespace != "n" || o.PingPeriod != time.Second {
		t.Fatalf("%+v", o)
	}
	for i := range reflect.TypeFor[Limits]().NumField() {
		if reflect.ValueOf(limits).Field(i).IsZero() {
			t.Fatalf("%s is not in the test", reflect.TypeFor[Limits]().Field(i).Name)
		}
	}
}

package amqp_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// muteNode takes connections and never says a word. It counts them.
func muteNode(t *testing.T) (address string, taken *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	taken = new(atomic.Int64)
	var work sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		work.Wait()
	})
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			taken.Add(1)
			work.Go(func() { // until the other side hangs up
				for err := error(nil); err == nil; {
					_, err = c.Read(make([]byte, 1<<10))
				}
				c.Close()
			})
		}
	})
	return l.Addr().String(), taken
}

// A43: one node of three hangs, another is down: a link comes up within the time of one dial, and
// no later dial waits for the mute one.
func TestA43AMuteNodeAndADeadOneHoldUpNoLink(t *testing.T) {
	node := rabbit.Run(t)
	mute, taken := muteNode(t)
	r := dialer(t, "amqp://guest:guest@"+mute+","+closedPort(t)+","+node.Address()+"/")
	begin := time.Now()
	for dials := 0; taken.Load() == 0; dials++ { // the order is random: until the mute one was tried
		dial(t, r, node.Address())
		if dials > 100 {
			t.Fatal("the mute node is never tried")
		}
	}
	if waited := time.Since(begin); waited > 100*amqp.DialTimeout {
		t.Errorf("it took %s", waited)
	}
	before := taken.Load()
	for range 5 {
		dial(t, r, node.Address())
	}
	if after := taken.Load(); after != before {
		t.Errorf("a node that hangs was dialed %d times more", after-before)
	}
}

// dial opens a link and closes it. It must lead to the address.
func dial(t *testing.T, r *amqp.RabbitMQ, want string) {
	t.Helper()
	l, err := r.Dial(t.Context()) // its own limit is what is tested
	must(t, err)
	defer l.Close(time.Second)
	if got := amqp.Address(l); got != want {
		t.Errorf("the link leads to %s, want %s", got, want)
	}
}

// Where no node answers, the error says of each why; it is that of one dial.
func TestADialOfNodesThatAllFailNamesEach(t *testing.T) {
	mute, _ := muteNode(t)
	closed := closedPort(t)
	r, err := amqp.NewRabbitMQ("amqp://ada:hunter2@"+mute+","+closed, amqp.RabbitMQOptions{DialTimeout: 200 * time.Millisecond})
	must(t, err)
	_, err = r.Dial(bounded(t))
	isKind(t, err, amqp.LinkLost)
	for _, want := range []string{mute + ": the broker did not answer in time", closed + ": dial tcp"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// A pool asks for a node, or for any but some.
func TestALinkToAChosenNode(t *testing.T) {
	node := rabbit.Run(t)
	r := dialer(t, "amqp://guest:guest@"+node.Address()+",localhost:1/")
	r.SetLookup(map[string][]string{"localhost": {"127.0.0.1"}})
	addresses := r.Addresses(bounded(t))
	if len(addresses) != 2 || addresses[0] != node.Address() || addresses[1] != "localhost:1" {
		t.Errorf("addresses %q", addresses)
	}
	l, err := r.DialWhere(bounded(t), only(node.Address()))
	must(t, err)
	must(t, l.Close(time.Second))
	_, err = r.DialWhere(bounded(t), func(address string) bool { return address != node.Address() })
	isKind(t, err, amqp.LinkLost)
	if !strings.Contains(err.Error(), "localhost:1") {
		t.Errorf("got %v", err)
	}
	if _, err = r.DialWhere(bounded(t), func(string) bool { return false }); !errors.Is(err, amqp.ErrNoAddress) {
		t.Errorf("got %v", err)
	}
}

// Every record of a name is an address, resolved anew by each dial.
func TestANameIsResolvedAtEachDial(t *testing.T) {
	node := rabbit.Run(t)
	_, port, err := net.SplitHostPort(node.Address())
	must(t, err)
	r := dialer(t, "amqp://guest:guest@broker.test:"+port)
	r.SetLookup(map[string][]string{"broker.test": {"127.0.0.1"}})
	dial(t, r, "broker.test:"+port)
	r.SetLookup(map[string][]string{"broker.test": {"127.0.0.2", "127.0.0.1"}}) // the node listens on one of them
	dial(t, r, "127.0.0.1:"+port)
	if got := r.Addresses(bounded(t)); len(got) != 2 {
		t.Errorf("addresses %q", got)
	}
	r.SetLookup(map[string][]string{"broker.test": {"127.0.0.2"}})
	_, err = r.Dial(bounded(t))
	isKind(t, err, amqp.LinkLost)
}

// Each node must show a certificate for its own name.
func TestEachNodeShowsACertificateForItsName(t *testing.T) {
	node := rabbit.Run(t)
	pool := x509.NewCertPool()
	a, b := named(t, pool, "a.test"), named(t, pool, "b.test")
	frontA := secureFront(t, node.Address(), &tls.Config{Certificates: []tls.Certificate{a}})
	frontB := secureFront(t, node.Address(), &tls.Config{Certificates: []tls.Certificate{b}})
	port := func(address string) string { return address[strings.LastIndex(address, ":"):] }
	r, err := amqp.NewRabbitMQ("amqps://guest:guest@a.test"+port(frontA)+",b.test"+port(frontB)+",a.test"+port(frontB)+"/",
		amqp.RabbitMQOptions{TLS: &tls.Config{RootCAs: pool}})
	must(t, err)
	r.SetLookup(map[string][]string{"a.test": {"127.0.0.1"}, "b.test": {"127.0.0.1"}})
	for _, address := range []string{"a.test" + port(frontA), "b.test" + port(frontB)} {
		l, err := r.DialWhere(bounded(t), only(address))
		must(t, err)
		must(t, l.Close(time.Second))
	}
	wrong, err := amqp.NewRabbitMQ("amqps://guest:guest@a.test"+port(frontB), amqp.RabbitMQOptions{TLS: &tls.Config{RootCAs: pool}})
	must(t, err)
	wrong.SetLookup(map[string][]string{"a.test": {"127.0.0.1"}})
	if _, err := wrong.Dial(bounded(t)); err == nil || !strings.Contains(err.Error(), "b.test, not a.test") {
		t.Errorf("got %v", err)
	}
}

// named makes a certificate for one name, which the pool trusts.
func named(t *testing.T, pool *x509.CertPool, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A dial that its caller ends is no failure of the node.
func TestADialThatIsCalledOffCountsAgainstNoNode(t *testing.T) {
	mute, taken := muteNode(t)
	r := dialer(t, "amqp://a:b@"+mute)
	ctx, cancel := context.WithCancel(bounded(t))
	go func() {
		for taken.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := r.Dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := r.Resting(); n != 0 {
		t.Errorf("%d addresses count as failed", n)
	}
}

package amqp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Addresses returns the addresses that the URL's hosts stand for now, see Cluster.
func (r *RabbitMQ) Addresses(ctx context.Context) []string {
	var addresses []string
	for _, e := range r.lookup.endpoints(ctx, r.url.hosts) {
		if !e.spare {
			addresses = append(addresses, e.address)
		}
	}
	slices.Sort(addresses)
	return slices.Compact(addresses)
}

// Dial opens a link; it fails when ctx ends, or after RabbitMQOptions.DialTimeout.
//
// With several addresses (the URL's hosts, and each IP address of a name) it tries one after the
// other, in random order, until a handshake succeeds: the next one at once when one fails, and
// beside one that has not answered after a second. Addresses that failed before come last, for a
// time that grows with each failure up to half a minute.
func (r *RabbitMQ) Dial(ctx context.Context) (Link, error) {
	return r.DialWhere(ctx, anyAddress)
}

// DialWhere opens a link to an address for which may returns true, as Dial does.
func (r *RabbitMQ) DialWhere(ctx context.Context, may func(address string) bool) (Link, error) {
	l, err := r.dial(ctx, may)
	if err != nil {
		return nil, err // not a nil *rabbitLink in an interface
	}
	return l, nil
}

func anyAddress(string) bool { return true }

func (r *RabbitMQ) dial(ctx context.Context, may func(address string) bool) (*rabbitLink, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.options.DialTimeout, errNoAnswer)
	defer cancel()
	allowed := map[string]bool{} // may is asked once for each
	list := slices.DeleteFunc(r.lookup.endpoints(ctx, r.url.hosts), func(e endpoint) bool {
		if _, asked := allowed[e.address]; !asked {
			allowed[e.address] = may(e.address)
		}
		return !allowed[e.address]
	})
	if len(list) == 0 {
		return nil, linkLost("dial", "", ErrNoAddress)
	}
	return r.race(ctx, r.failures.order(list, time.Now()))
}

// attempt is a dial of one address.
type attempt struct {
	endpoint
	since time.Time
	link  *rabbitLink
	err   error
	ended bool // by its context
}

// race tries the addresses in their order until one answers, and then ends the tries that are still
// under way. Its goroutines have ended when it returns.
func (r *RabbitMQ) race(ctx context.Context, list []endpoint) (*rabbitLink, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	patience := min(time.Second, r.options.DialTimeout/time.Duration(2*len(list)))
	late := time.NewTimer(patience)
	defer late.Stop()

	done := make(chan attempt)
	running, left := 0, list
	next := func() {
		if len(left) > 0 {
			e := left[0]
			running, left = running+1, left[1:]
			go func() { done <- r.try(ctx, e) }()
			late.Reset(patience)
		}
	}
	var won *rabbitLink
	var failed dialErrors
	for next(); running > 0; {
		select {
		case a := <-done:
			running--
			switch {
			case a.err == nil && won == nil:
				won, left = a.link, nil
				cancel(errOvertaken)
				r.failures.forget(a.hostPort)
			case a.err == nil:
				a.link.Close(0)
			default:
				failed = append(failed, a.failure())
				r.failures.note(a, patience)
				next()
			}
		case <-late.C:
			next()
		}
	}
	if won == nil {
		return nil, failed.one()
	}
	return won, nil
}

var (
	errNoAnswer  = errors.New("the broker did not answer in time")
	errOvertaken = errors.New("another address of the broker answered first")
)

// try makes a link to one address.
func (r *RabbitMQ) try(ctx context.Context, e endpoint) attempt {
	a := attempt{endpoint: e, since: time.Now()}
	a.link, a.err = r.connect(ctx, e)
	if a.err != nil && ctx.Err() != nil {
		a.err, a.ended = context.Cause(ctx), true // the reason, in place of what it brought about
	}
	return a
}

func (r *RabbitMQ) connect(ctx context.Context, e endpoint) (*rabbitLink, error) {
	socket, err := e.open(ctx, r.options.TLS)
	if err != nil {
		return nil, r.explained(err)
	}
	interrupt := context.AfterFunc(ctx, func() { socket.Close() }) // the library's handshake takes no context
	connection, err := r.handshake(socket)
	if !interrupt() || err != nil {
		socket.Close()
		return nil, cmp.Or(r.explained(err), context.Cause(ctx))
	}
	return newRabbitLink(connection, socket, e.address), nil
}

// explained returns an error with what of the URL it is about, where that is known; nil for nil.
func (r *RabbitMQ) explained(err error) error {
	var plain tls.RecordHeaderError
	switch step := stepOf(err); {
	case errors.As(err, &plain):
		return fmt.Errorf("no TLS is spoken there, try amqp:// or the port for TLS: %w", err)
	case step == StepLogin:
		return fmt.Errorf("the broker refuses the login of user %q: %w", r.url.user, err)
	case step == StepOpen:
		return fmt.Errorf("the broker refuses virtual host %q to user %q: %w", r.url.vhost, r.url.user, err)
	}
	return err
}

// open opens the socket, with TLS unless secure is nil.
func (e endpoint) open(ctx context.Context, secure *tls.Config) (net.Conn, error) {
	socket, err := new(net.Dialer).DialContext(ctx, "tcp", e.hostPort)
	if err != nil || secure == nil {
		return socket, err
	}
	if secure.ServerName == "" {
		secure = secure.Clone()
		secure.ServerName = e.name
	}
	encrypted := tls.Client(socket, secure)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		socket.Close()
		return nil, err
	}
	return encrypted, nil
}

// failure returns the error of an attempt that failed.
func (a attempt) failure() *Error { return linkLost("dial", a.address, a.err) }

// dialErrors are those of the addresses of one dial.
type dialErrors []*Error

// one returns the only error, or one that holds all of them.
func (list dialErrors) one() error {
	if len(list) == 1 {
		return list[0]
	}
	return linkLost("dial", "", list)
}

func (list dialErrors) Error() string {
	texts := make([]string, len(list))
	for i, err := range list {
		texts[i] = err.Subject + ": " + err.Cause.Error()
	}
	return strings.Join(texts, "; ")
}

func (list dialErrors) Unwrap() []error {
	errs := make([]error, len(list))
	for i, err := range list {
		errs[i] = err
	}
	return errs
}

// failures remembers which addresses, by what was dialed, have failed lately. The zero value is
// ready; its methods may be called concurrently.
type failures struct {
	mu sync.Mutex
	of map[string]failure
}

type failure struct {
	times int
	until time.Time // it is tried last until then
}

// An address that failed is tried last for firstRest, twice as long after each further failure, at
// most longestRest.
const (
	firstRest   = time.Second
	longestRest = 30 * time.Second
)

// note remembers an attempt that failed, unless it was ended before its time: by the caller of the
// dial, or within patience by another address that answered.
func (f *failures) note(a attempt, patience time.Duration) {
	mute := a.err == errNoAnswer || a.err == errOvertaken && time.Since(a.since) >= patience
	if a.ended && !mute {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[string]failure{}
	}
	times := f.of[a.hostPort].times + 1
	rest := min(longestRest, firstRest<<min(times-1, 10))
	f.of[a.hostPort] = failure{times: times, until: time.Now().Add(rest)}
}

func (f *failures) forget(hostPort string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.of, hostPort)
}

// order returns the endpoints in the order in which to try them: at random, then those of a name's
// other family, last those that failed lately, the longest ago first.
func (f *failures) order(list []endpoint, now time.Time) []endpoint {
	f.mu.Lock()
	defer f.mu.Unlock()
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	slices.SortStableFunc(list, func(a, b endpoint) int { return cmp.Compare(f.rank(a, now), f.rank(b, now)) })
	return list
}

// rank orders endpoints: 0, 1 for a spare one, otherwise the nanoseconds of its rest that remain.
func (f *failures) rank(e endpoint, now time.Time) time.Duration {
	switch rest := f.of[e.hostPort].until.Sub(now); {
	case rest > 0:
		return 1 + rest
	case e.spare:
		return 1
	}
	return 0
}

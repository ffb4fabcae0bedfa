package random

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/test/chaos/history"
)

// conductor runs one run.
type conductor struct {
	options  Options
	history  *history.Recorder
	book     *book
	operator *operator
	ledger   *ledger
	turns    chan func() // are called between two messages
	local    bool        // the proxy is on this machine: clients are told apart by their addresses
	readers  []*reader
	streams  streams
	harms    harms
	ends     ends
	stranger stranger
	picture  atomic.Pointer[picture]

	started      time.Time // of the harm
	phaseNow     atomic.Value
	gone         atomic.Bool // the proxy has not answered for too long: the run is over
	stop         func()      // ends the time with clients
	first        picture     // of a proxy in health
	censusBefore Census
}

// Run breaks the proxy and reports. It returns an error if the run itself could not
// be done, or was called off; what did not hold stands in the Report, which is nil
// where the run did not begin.
func Run(ctx context.Context, o Options) (*Report, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	c := &conductor{
		options: o, history: o.History, book: newBook(o), operator: newOperator(o.Operator), ledger: &ledger{shared: o.Shared || o.Routed}, turns: make(chan func()),
		local: isLocal(o.Proxy),
	}
	c.harms.count = map[string]*HarmCount{}
	c.record()
	if err := c.beforehand(ctx); err != nil {
		return nil, fmt.Errorf("random: %w", err)
	}
	for _, s := range o.Skipped {
		c.skip(s.What, s.Why)
	}
	c.book.say("seed %d: %d clients, %s of harm", o.Seed, o.Clients, o.For)
	c.conduct(ctx)
	if ctx.Err() == nil && !c.gone.Load() {
		c.afterwards(ctx)
	}
	if ctx.Err() == nil {
		c.end()
	}
	return c.close(ctx)
}

// close draws up the report.
func (c *conductor) close(ctx context.Context) (*Report, error) {
	var err error
	if ctx.Err() != nil {
		err = fmt.Errorf("called off: %w", context.Cause(ctx))
		c.book.doubt("the run was called off")
	}
	c.book.report.Published, c.book.report.Excused = c.ledger.confirmed(), c.ledger.excusedCount()
	c.book.report.Harms = c.harms.counts()
	c.countReal()
	for _, invariant := range []string{refusal, acknowledged, needed, orderlyEnd} {
		c.book.unshown(invariant, "nothing in this run shows it")
	}
	report := c.book.judge()
	c.history.Add(history.Verdict{Verdict: report.Verdict, Reasons: append(report.Violations, report.Unknown...), Invariants: report.Invariants})
	return report, err
}

// isLocal reports whether a URL's host is the loopback.
func isLocal(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.To4() != nil && ip.IsLoopback()
}

// record writes the history's first line.
func (c *conductor) record() {
	o := c.options
	c.history.Add(history.Run{
		Version: 1, Mode: "random", Started: time.Now().UTC().Format(time.RFC3339), Command: o.Command, Seed: o.Seed,
		Clients: o.Clients, Seconds: o.For.Seconds(), Patience: o.Patience.Seconds(), Shared: o.Shared, Routed: o.Routed, Nodes: o.Nodes, Memory: o.Memory,
		Environment: o.Environment,
	})
}

func (c *conductor) phase(name string) {
	c.phaseNow.Store(name)
	c.history.Add(history.Phase{Name: name})
}

func (c *conductor) skip(what, why string) {
	c.history.Add(history.Skipped{What: what, Reason: why})
	c.book.mu.Lock()
	c.book.report.Skipped = append(c.book.report.Skipped, history.Skipped{What: what, Reason: why})
	c.book.mu.Unlock()
}

// beforehand takes the vitals of a proxy in health: one that is without a link
// has fewer goroutines than it may have afterwards.
func (c *conductor) beforehand(ctx context.Context) error {
	c.phase("before")
	var now picture
	var err error
	linked := c.until(ctx, func() bool {
		now, err = c.operator.tree(ctx)
		return err != nil || len(now.Links) > 0
	})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("the operators' listener: %w", err)
	case !linked:
		return fmt.Errorf("the proxy has had no link to its broker for %s: nothing to break", c.options.Patience)
	}
	c.first = now
	c.picture.Store(&now)
	if len(now.Ends) > 0 {
		c.ends.last = now.Ends[0].Number
	}
	c.history.Add(linksOf(now))
	v, err := c.operator.vitals(ctx)
	if err != nil {
		return fmt.Errorf("the operators' listener: %w", err)
	}
	c.book.report.Before = Vitals{v.goroutines, v.descriptors, v.resident, v.heap}
	c.history.Add(sampleOf(now, v))
	if c.options.Census == nil {
		c.book.unjudged(brokerClean, "nothing here can ask the broker")
	} else if c.censusBefore, err = c.options.Census(ctx); err != nil {
		return fmt.Errorf("census of the broker: %w", err)
	} else {
		c.history.Add(censusOf(c.censusBefore, c.options.Account))
	}
	if c.options.Memory == 0 {
		c.book.unjudged(memoryBound, "no limit was named: --memory")
	}
	return nil
}

// conduct is the time with clients: harm, then healing, then what is owed.
func (c *conductor) conduct(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	c.stop = cancel
	var background sync.WaitGroup
	defer background.Wait()
	defer c.stranger.under.Wait()
	defer cancel()
	for i := range c.options.Clients {
		c.readers = append(c.readers, newReader(c, i))
	}
	for _, r := range c.readers {
		background.Go(func() { r.read(ctx) })
	}
	publishing, stopPublishing := context.WithCancel(ctx)
	defer stopPublishing()
	var publisher sync.WaitGroup
	publisher.Go(func() { c.publish(publishing) })
	background.Go(func() { c.watch(ctx) })
	if c.options.Failures != nil {
		background.Go(func() { c.listen(ctx) })
	}
	c.healed(ctx, "before any harm")

	kinds := c.plan()
	schedule := c.options.Schedule
	if schedule == nil {
		schedule = draw(c.options.Seed, kinds, c.options.Clients, c.options.For, c.options.Every)
	}
	c.started = time.Now()
	c.phase("harm")
	c.play(ctx, kinds, schedule)
	if c.options.Schedule == nil {
		c.insist(ctx, kinds)
	}
	c.phase("after")
	c.settled(ctx)
	c.healed(ctx, "after the harm")
	stopPublishing()
	publisher.Wait()
	c.paid(ctx)
	c.acknowledged(ctx)
	c.held(ctx)
	c.phase("left")
}

// plan fixes the kinds of harm.
func (c *conductor) plan() []Harm {
	kinds := c.kinds(c.latest())
	if steps := c.options.Schedule; steps != nil { // of the others nothing is asked
		kinds = slices.DeleteFunc(kinds, func(k Harm) bool {
			return !slices.ContainsFunc(steps, func(s Step) bool { return s.Name == k.Name })
		})
	}
	if c.options.Schedule == nil {
		kinds = slices.DeleteFunc(kinds, func(k Harm) bool {
			if k.Quiet > c.options.For {
				c.skip(k.Name, fmt.Sprintf("it needs %s of quiet, and the run lasts %s", k.Quiet, c.options.For))
			}
			return k.Quiet > c.options.For
		})
	}
	c.harms.mu.Lock()
	defer c.harms.mu.Unlock()
	for _, kind := range kinds {
		c.harms.order = append(c.harms.order, kind.Name)
		c.harms.count[kind.Name] = &HarmCount{Name: kind.Name}
		c.history.Add(history.Kind{Name: kind.Name, Does: kind.Does, Scope: string(kind.Scope)})
	}
	return kinds
}

func (c *conductor) publish(ctx context.Context) {
	next := time.NewTicker(time.Duration(float64(time.Second) / c.options.Rate))
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case turn := <-c.turns:
			turn()
			continue
		case <-next.C:
		}
		_ = c.publishOne(ctx, c.options.Publish) // an error is entered, and no failure
	}
}

// publishOne publishes the next number. It is called by publish alone.
func (c *conductor) publishOne(ctx context.Context, publish func(context.Context, int) error) error {
	begun := time.Now()
	number := c.ledger.next(begun)
	record := history.Publish{N: number}
	err := publish(context.WithoutCancel(ctx), number)
	if record.Took = time.Since(begun).Seconds(); err == nil {
		record.Confirmed = true
		c.ledger.published(number)
	} else {
		record.Error = err.Error()
	}
	c.history.AddAt(begun, record)
	return err
}

// inTurn has something done between two messages, by the goroutine that publishes.
func (c *conductor) inTurn(ctx context.Context, do func() error) error {
	done := make(chan error, 1) // whether or not it is waited for
	select {
	case c.turns <- func() { done <- do() }:
		return <-done
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// healed waits until every client has got a message again.
func (c *conductor) healed(ctx context.Context, when string) {
	since, dark := time.Now(), 0
	ok := c.until(ctx, func() bool {
		dark = 0
		for _, r := range c.readers {
			if !r.hasMessageSince(since) {
				dark++
			}
		}
		return dark == 0
	})
	if ctx.Err() != nil { // called off: that says nothing
		return
	}
	c.book.tried(served)
	if !ok {
		c.book.violate(served, "%s: %d of %d clients got no message within %s", when, dark, len(c.readers), c.options.Patience)
		return
	}
	c.book.say("%s: every client gets messages", when)
}

// paid waits, when the last message is published, until every open stream has all
// that it is owed.
func (c *conductor) paid(ctx context.Context) {
	lacking := ""
	ok := c.until(ctx, func() bool {
		lacking = ""
		for _, r := range c.readers {
			if n := r.lacks(); n > 0 {
				lacking = fmt.Sprintf("client %d has not got message %d, and its stream is open", r.number, n)
			}
		}
		return lacking == ""
	})
	if ctx.Err() != nil {
		return
	}
	if !ok {
		c.book.violate(complete, "%s after the last was published: %s", c.options.Patience, lacking)
	}
}

// until asks again and again, for as long as healing may take.
func (c *conductor) until(ctx context.Context, is func() bool) bool {
	deadline := time.Now().Add(c.options.Patience)
	for !is() {
		if ctx.Err() != nil || time.Now().After(deadline) {
			return false
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}

func (c *conductor) progress() Progress {
	p := Progress{Total: c.options.For, Violations: c.book.violations()}
	p.Phase, _ = c.phaseNow.Load().(string)
	if p.Phase == "harm" {
		p.Elapsed = time.Since(c.started)
	}
	for _, r := range c.readers {
		if r.isReady() {
			p.Streams++
		}
	}
	h := &c.harms
	h.mu.Lock()
	defer h.mu.Unlock()
	p.Harm = h.last
	for _, count := range h.count {
		p.Seen += count.Seen
		p.Undone += count.Asked - count.Seen
	}
	return p
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

const (
	exchange = "amq.topic"              // is there whatever happens to the nodes
	queues   = "queue/guest/exclusive/" // the names of all streams' queues begin so
	// patience bounds each wait.
	patience = 3 * time.Minute
)

// rig is a cluster, the proxy's binary, and while a trial runs its process and clients.
type rig struct {
	ctx     context.Context
	streams int
	dir     string
	binary  string
	cluster *rabbit.Cluster

	proxy *chaos.Process
	crowd []*clients.Obedient
	gone  context.CancelFunc // the clients leave
	work  sync.WaitGroup
}

func newRig(ctx context.Context, streams int) (r *rig, err error) {
	r = &rig{ctx: ctx, streams: streams}
	if r.dir, err = os.MkdirTemp("", "events-nodes-"); err != nil {
		return nil, err
	}
	if r.binary, err = chaos.Build(ctx, r.dir); err == nil {
		r.cluster, err = rabbit.StartCluster(ctx, r.dir, rabbit.ClusterOptions{Settings: "cluster_partition_handling = pause_minority"})
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(r.dir))
	}
	version, err := r.cluster.Node(0).Version(ctx)
	fmt.Printf("RabbitMQ %s, %d nodes, %d streams\n", version, len(r.cluster.Nodes()), streams)
	return r, err
}

func (r *rig) close() {
	r.cluster.Close()
	os.RemoveAll(r.dir)
}

// start starts a proxy that knows all nodes, and returns the nodes' shares when every client has a
// ready stream.
func (r *rig) start() (counts []int, err error) {
	if r.proxy, err = chaos.StartTame(r.binary, r.cluster.URL()); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(r.ctx)
	r.gone = cancel
	for range r.streams {
		c := clients.NewObedient(r.proxy.URL()+script.ConnectPath+"?"+script.Query(exchange, "nodes.#"), clients.Options{})
		r.crowd = append(r.crowd, c)
		r.work.Go(func() { c.Run(ctx) })
	}
	if err := r.everybody(); err != nil {
		return nil, err
	}
	return r.shares()
}

// leave ends what start has started.
func (r *rig) leave() {
	if r.gone != nil {
		r.gone()
		r.work.Wait()
	}
	if r.proxy != nil {
		if err := r.proxy.Close(); err != nil {
			fmt.Println(err)
		}
	}
	r.gone, r.proxy, r.crowd = nil, nil, nil
}

// everybody returns when each client's present stream is ready.
func (r *rig) everybody() error {
	var ready int
	err := r.until(func() (bool, error) {
		ready = 0
		for _, c := range r.crowd {
			if errs := c.Errors(); len(errs) > 0 {
				return false, errors.Join(errs...)
			}
			if received, open := c.Current(); open && received.Ready() {
				ready++
			}
		}
		return ready == len(r.crowd), nil
	})
	if err != nil {
		return fmt.Errorf("%d of %d clients are ready: %w", ready, len(r.crowd), err)
	}
	return nil
}

// until waits for what no event announces.
func (r *rig) until(is func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for {
		if yes, err := is(); yes || err != nil {
			return err
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pause lets time pass, which is what a trial measures the effect of.
func (r *rig) pause(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// shares returns how many streams' queues each node has.
func (r *rig) shares() (counts []int, err error) {
	for _, n := range r.cluster.Nodes() {
		s, err := n.Local(r.ctx)
		if err != nil {
			return nil, err
		}
		counts = append(counts, s.QueuesOf(queues))
	}
	return counts, nil
}

package cluster

import (
	"fmt"
	"net"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// A43: one address takes connections and never answers, another one refuses them. A stream that
// comes as soon as the proxy listens is ready within the time of one dial, whichever address is
// tried first.
func TestA43AMuteAddressHoldsUpNoStream(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes connections for it
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing.Close()
	for n := range 5 { // the order is random
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := onCluster(t)
			r.serve(fmt.Sprintf("amqp://guest:guest@%s,%s,%s/", mute.Addr(), refusing.Addr(), r.cluster.Node(0).Address()))
			for _, s := range r.open(1) {
				r.within(amqp.DialTimeout, s)
				if !s.Received().Ready() {
					t.Errorf("it is not ready\n%s", s.Received())
				}
			}
		})
	}
}

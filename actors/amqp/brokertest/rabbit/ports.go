package rabbit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// ports are TCP ports of the loopback that are a node's or a cluster's until they are released, also
// while it is stopped: its clients come back to the same address.
type ports struct {
	numbers []int
	held    []net.PacketConn // a UDP socket of the same number, which only one process can have
}

// The ports are below those that Linux takes for outgoing connections and for listeners on port 0
// (ip_local_port_range, 32768 to 60999), either of which could take the port of a node that is stopped.
const (
	lowestPort  = 20000
	highestPort = 32767
)

var errNoPort = errors.New("rabbit: no free port")

// reservePorts returns ports that nothing listens on and that no other node has. The caller owes a
// release; the end of the process releases them too.
func reservePorts(count int) (p ports, err error) {
	for range 100 * count {
		if len(p.numbers) == count {
			return p, nil
		}
		p.reserve(lowestPort + rand.IntN(highestPort-lowestPort+1))
	}
	p.release()
	return ports{}, errNoPort
}

// reserve adds a port, unless it is taken.
func (p *ports) reserve(number int) {
	address := fmt.Sprintf("127.0.0.1:%d", number)
	held, err := net.ListenPacket("udp", address)
	if err != nil {
		return
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		held.Close()
		return
	}
	listener.Close()
	p.numbers, p.held = append(p.numbers, number), append(p.held, held)
}

// release ends the reservation. It may be called repeatedly, also of no ports.
func (p *ports) release() {
	for _, held := range p.held {
		held.Close()
	}
	*p = ports{}
}

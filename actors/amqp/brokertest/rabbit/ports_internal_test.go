package rabbit

import (
	"net"
	"slices"
	"strconv"
	"testing"
)

// The port of a node that is stopped is no other's: neither another node's nor that of a listener or a
// connection that gets its port from the system.
func TestThePortOfAStoppedNodeStaysItsOwn(t *testing.T) {
	mine, err := reservePorts(4)
	if err != nil {
		t.Fatal(err)
	}
	defer mine.release()
	var other ports
	for _, number := range mine.numbers {
		other.reserve(number)
		if number < lowestPort || number > highestPort {
			t.Errorf("port %d", number)
		}
	}
	if len(other.numbers) > 0 {
		t.Errorf("%v are reserved twice", other.numbers)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(mine.numbers[0])))
	if err != nil {
		t.Fatalf("its node cannot listen there: %v", err)
	}
	l.Close()
	numbers := slices.Clone(mine.numbers)
	mine.release()
	for _, number := range numbers {
		other.reserve(number)
	}
	if len(other.numbers) != 4 {
		t.Errorf("of %v only %v are free again", numbers, other.numbers)
	}
	other.release()
}

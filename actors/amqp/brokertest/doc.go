// Package brokertest proves that a test of an AMQP program leaves nothing behind: no
// queue, exchange, binding, consumer, channel or connection on its broker, and no
// goroutine in its own process. The program may be anything; it need not use this
// repository's proxy.
//
//	func TestOrdersArrive(t *testing.T) {
//		brokertest.Clean(t, brokertest.RabbitMQ("http://guest:guest@localhost:15672", "/"))
//		// … the test; what it has left when it ends fails it
//	}
//
// [Clean] watches one test, [Main] a package's whole run. The broker is asked through
// its management plugin ([RabbitMQ]), or is the one in this process ([Memory]), whose
// methods Stop, Start, Freeze, Thaw, DropLinks, CloseChannels and DeleteQueue are
// faults that the program must survive. Faults of the network between a program and
// its RabbitMQ are in test/chaos/faults, whose Gate stands between the two.
package brokertest

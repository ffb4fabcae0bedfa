package faults_test

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// A program is given the gate's address instead of its broker's; then the way between
// the two is harmed, and what it does about that is the test.
func ExampleGate() {
	broker, err := net.Listen("tcp", "127.0.0.1:0") // stands for a RabbitMQ
	if err != nil {
		fmt.Println(err)
		return
	}
	defer broker.Close()
	go func() { // ends with the listener
		for {
			conn, err := broker.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "hello")
		}
	}()

	gate, err := faults.NewGate(broker.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer gate.Close()
	program, err := net.Dial("tcp", gate.Address())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer program.Close()
	hello := make([]byte, 5)
	io.ReadFull(program, hello)
	fmt.Printf("%s\n", hello)

	site := faults.Site{Gate: gate}
	sign, _ := faults.LinkCut.Watch(context.Background(), site)
	faults.LinkCut.Happen(context.Background(), site)
	_, err = program.Read(hello)
	fmt.Println("the program reads:", err)
	said, _ := sign(context.Background())
	fmt.Println(said)
	// Output:
	// hello
	// the program reads: EOF
	// 1 connections ended though neither end had ended them
}

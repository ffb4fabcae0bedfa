package sse_test

import (
	"fmt"
	"strings"

	"github.com/taskcluster/events-proxy/http/sse"
)

func ExampleEncoder() {
	encoder := sse.Encoder{ID: sse.MustID("-")}
	frame := encoder.Append(nil, sse.MustName("ready"), sse.MustData("{}"))
	fmt.Printf("%q\n", frame)
	// Output: "event: ready\ndata: {}\nid: -\n\n"
}

func ExampleDecoder() {
	stream := strings.NewReader("event: ready\ndata: {}\nid: -\n\ndata: one\ndata: two\n\n")
	for event, err := range sse.NewDecoder(stream).All() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s %q, last id %q\n", event.Name, event.Data, event.ID)
	}
	// Output:
	// ready "{}", last id "-"
	// message "one\ntwo", last id "-"
}

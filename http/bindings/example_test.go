package bindings_test

import (
	"fmt"
	"net/url"

	"github.com/taskcluster/events-proxy/http/bindings"
)

// A program with routes of its own accepts the same parameter as the proxy.
func ExampleParse() {
	query := url.Values{"bindings": {`{"bindings": [{"exchange": "exchange/builds", "routingKeyPattern": "linux.#"}]}`}}
	list, err := bindings.Parse(query.Encode())
	fmt.Println(list, err)

	_, err = bindings.Parse("bindings=" + url.QueryEscape(`{"bindings": [{"exchange": "exchange/builds"}]}`))
	fmt.Println(err)
	// Output:
	// ["exchange/builds" "linux.#"] <nil>
	// bindings[0]: Binding must include `exchange` and `routingKeyPattern` fields
}

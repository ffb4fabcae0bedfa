// Package bindings reads the `bindings` parameter of a connect request.
//
// A program that has routes of its own calls [Parse] with a request's query
// and passes the result on as actors.Request.Bindings: it then accepts, and
// rejects, exactly what the events proxy does, with the same messages.
//
//	?bindings={"bindings": [{"exchange": "exchange/…", "routingKeyPattern": "a.#"}, …]}
//
// The package is pure: it knows no HTTP and no broker, only what a binding is.
package bindings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Param is the name of the query's parameter, and of the one key of its JSON.
const Param = "bindings"

// The original service's messages about bad bindings: clients have tests for them.
const (
	textOneKey     = "The json query should have only one key i.e. `bindings`."
	textArray      = "Bindings must be an array of {exchange, routingKeyPattern}"
	textBothFields = "Binding must include `exchange` and `routingKeyPattern` fields"
)

// complaint is what is wrong with a parameter, as a sentence for people.
type complaint string

// Error returns the sentence.
func (c complaint) Error() string { return string(c) }

func complain(format string, args ...any) error { return complaint(fmt.Sprintf(format, args...)) }

// Parse returns the distinct bindings that a URL's query asks for, in order.
// An error is a sentence that may be shown to the client. How many bindings
// there may be, none included, is not decided here: actors.System.Connect does.
//
// The query is split at & only, as the original service does; parameters other
// than `bindings` are ignored, however malformed. Equal bindings are returned
// once. Parse may be called concurrently.
func Parse(query string) ([]amqp.Binding, error) {
	text, err := parameter(query)
	if err != nil {
		return nil, err
	}
	if !json.Valid(text) {
		return nil, notJSON(json.Unmarshal(text, new(any)))
	}
	list, err := onlyKey(bytes.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	return elements(list)
}

// parameter returns the decoded text of the parameter, which must be there once.
func parameter(query string) (text []byte, err error) {
	var values []string
	for part := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(part, "=")
		if key, err := url.QueryUnescape(key); err == nil && key == Param {
			values = append(values, value)
		}
	}
	switch len(values) {
	case 0:
		return nil, complain("The query parameter `bindings` is missing")
	case 1:
	default:
		return nil, complain("The query parameter `bindings` is there %d times, it must be there once", len(values))
	}
	value, err := url.QueryUnescape(values[0])
	switch {
	case err != nil:
		return nil, complain("The query parameter `bindings` is not URL-encoded: %v", err)
	case strings.TrimSpace(value) == "":
		return nil, complain("The query parameter `bindings` is empty")
	}
	return []byte(value), nil
}

func notJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return complain("The query parameter `bindings` is not JSON: %v, at byte %d", err, syntax.Offset)
	}
	return complain("The query parameter `bindings` is not JSON: %v", err)
}

// onlyKey returns the value of the object's one key, which must be Param.
func onlyKey(text []byte) (value []byte, err error) {
	for key, raw := range fields(text) {
		if key != Param || value != nil {
			return nil, complain(textOneKey)
		}
		value = raw
	}
	if value == nil {
		return nil, complain(textOneKey)
	}
	return value, nil
}

// elements returns the distinct bindings of a JSON array.
func elements(list []byte) ([]amqp.Binding, error) {
	if list[0] != '[' {
		return nil, complain(textArray)
	}
	var bindings []amqp.Binding
	for element := range parts(list, '[') {
		b, err := binding(element)
		if err != nil {
			return nil, complain("bindings[%d]: %v", len(bindings), err)
		}
		bindings = append(bindings, b)
	}
	return amqp.Distinct(bindings), nil
}

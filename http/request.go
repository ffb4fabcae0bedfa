package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The parameters of a connect request.
const (
	paramBindings    = "bindings"
	paramLastEventID = "lastEventId"
)

// What the original service says of bad bindings: clients have tests for it.
const (
	saysOneKey    = "The json query should have only one key i.e. `bindings`."
	saysArray     = "Bindings must be an array of {exchange, routingKeyPattern}"
	saysBothField = "Binding must include `exchange` and `routingKeyPattern` fields"
)

// complaint is what is wrong with a request, as a sentence for people.
type complaint string

func (c complaint) Error() string { return string(c) }

func complain(format string, args ...any) error { return complaint(fmt.Sprintf(format, args...)) }

// query is what a connect request asks for, not yet understood.
type query struct {
	bindings    []string // every value of the parameter, decoded
	lastEventID bool     // a value that is not empty
	malformed   error    // in the escapes of a bindings parameter
}

// parseQuery takes a URL's query apart. Unlike url.ParseQuery it splits at &
// only, as the original does, and says what is wrong with `bindings` instead
// of dropping it. Other parameters are of no concern, however malformed.
func parseQuery(raw string) query {
	var q query
	for part := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(part, "=")
		key, err := url.QueryUnescape(key)
		if err != nil {
			continue
		}
		switch key {
		case paramBindings:
			value, err := url.QueryUnescape(value)
			if err != nil {
				q.malformed = err
			}
			q.bindings = append(q.bindings, value)
		case paramLastEventID:
			q.lastEventID = q.lastEventID || value != ""
		}
	}
	return q
}

// parse understands the bindings parameter, or says in a sentence for people
// what is wrong with it:
//
//	{"bindings": [{"exchange": "exchange/…", "routingKeyPattern": "a.#"}, …]}
//
// Equal bindings come out once. How many there may be, none included, is the
// system's to say.
func (q query) parse() ([]amqp.Binding, error) {
	switch {
	case len(q.bindings) == 0:
		return nil, complain("The query parameter `bindings` is missing")
	case len(q.bindings) > 1:
		return nil, complain("The query parameter `bindings` is there %d times, it must be there once", len(q.bindings))
	case q.malformed != nil:
		return nil, complain("The query parameter `bindings` is not URL-encoded: %v", q.malformed)
	case strings.TrimSpace(q.bindings[0]) == "":
		return nil, complain("The query parameter `bindings` is empty")
	}
	list, err := bindingsOf([]byte(q.bindings[0]))
	if err != nil {
		return nil, err
	}
	var bindings []amqp.Binding
	isArray, err := eachElement(list, func(i int, element json.RawMessage) error {
		binding, err := parseBinding(element)
		if err != nil {
			return complain("bindings[%d]: %v", i, err)
		}
		bindings = append(bindings, binding)
		return nil
	})
	switch {
	case !isArray:
		return nil, complain(saysArray)
	case err != nil:
		return nil, err
	}
	return amqp.Distinct(bindings), nil
}

// bindingsOf gives the value of the one key of the text's object.
func bindingsOf(text []byte) (json.RawMessage, error) {
	if !json.Valid(text) {
		return nil, notJSON(json.Unmarshal(text, new(any)))
	}
	var list json.RawMessage
	_, err := eachField(text, func(key string, value json.RawMessage) error {
		if key != paramBindings || list != nil {
			return complain(saysOneKey)
		}
		list = value
		return nil
	})
	if err == nil && list == nil {
		err = complain(saysOneKey)
	}
	return list, err
}

func notJSON(err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return complain("The query parameter `bindings` is not JSON: %v, at byte %d", err, syntax.Offset)
	}
	return complain("The query parameter `bindings` is not JSON: %v", err)
}

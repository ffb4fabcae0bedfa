package script

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/taskcluster/events-proxy/test/clients"
)

// claim returns an error that names what is lacking in what a stream has received, or nil.
type claim func(*stream, clients.Received) error

// claims are what expect can check of a stream, by their first word:
//
//	N messages            so many so far, and not more
//	ready                 the ready event has come
//	pings N               at least N
//	first NAME            the first event has this name
//	payload JSON          of the next message that no payload claim has seen
//	key K, exchange X, routes R…, encoding E, redelivered true|false
//	                      of that same message
//	ended [CODE]          the answer is over, in order, with that error event last
//	broken                the answer is over without an order
//	reason TEXT           the error event's message contains it
//	retry MS              the error event names that many milliseconds as the longest wait
//	status N              of the answer
//	header 'NAME: VALUE'  of the answer
var claims = map[string]func([]string) (claim, error){
	"ready":       readyClaim,
	"pings":       pingsClaim,
	"first":       firstClaim,
	"payload":     payloadClaim,
	"key":         seenClaim(func(m clients.Message) string { return m.RoutingKey }),
	"exchange":    seenClaim(func(m clients.Message) string { return m.Exchange }),
	"routes":      seenClaim(func(m clients.Message) string { return strings.Join(m.Routes, " ") }),
	"encoding":    seenClaim(func(m clients.Message) string { return m.PayloadEncoding }),
	"redelivered": seenClaim(func(m clients.Message) string { return strconv.FormatBool(*m.Redelivered) }),
	"ended":       endedClaim,
	"broken":      brokenClaim,
	"reason":      reasonClaim,
	"retry":       retryClaim,
	"status":      statusClaim,
	"header":      headerClaim,
}

// parseClaim reads the words after the stream's name.
func parseClaim(words []string) (claim, error) {
	if n, err := strconv.Atoi(words[0]); err == nil {
		return countClaim(n), nil
	}
	parse := claims[words[0]]
	if parse == nil {
		return nil, fmt.Errorf("no claim begins with %q", words[0])
	}
	return parse(words[1:])
}

func countClaim(n int) claim {
	return func(_ *stream, r clients.Received) error {
		if r.Messages != n {
			return fmt.Errorf("%d messages have come, not %d", r.Messages, n)
		}
		return nil
	}
}

func readyClaim([]string) (claim, error) {
	return func(_ *stream, r clients.Received) error {
		if !r.Ready() {
			return errors.New("it is not ready")
		}
		return nil
	}, nil
}

func pingsClaim(words []string) (claim, error) {
	n, err := strconv.Atoi(strings.Join(words, " "))
	return func(_ *stream, r clients.Received) error {
		if have := r.Count("ping"); have < n {
			return fmt.Errorf("%d pings have come, not %d", have, n)
		}
		return nil
	}, err
}

func firstClaim(words []string) (claim, error) {
	return func(_ *stream, r clients.Received) error {
		if want := strings.Join(words, " "); len(r.Events) == 0 || r.Events[0].Name != want {
			return fmt.Errorf("its first event is not %s", want)
		}
		return nil
	}, nil
}

// payloadClaim moves on to the next message. The JSON is compared as text
// without spaces: numbers must have come through untouched.
func payloadClaim(words []string) (claim, error) {
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(strings.Join(words, " "))); err != nil {
		return nil, fmt.Errorf("the payload is no JSON: %w", err)
	}
	return func(s *stream, r clients.Received) error {
		m, err := r.Message(s.seen)
		if err != nil {
			return err
		}
		if string(m.Payload) != want.String() {
			return fmt.Errorf("message %d has the payload %s, not %s", s.seen+1, m.Payload, want.String())
		}
		s.seen++
		return nil
	}, nil
}

// seenClaim claims something of the message that payload has seen last.
func seenClaim(field func(clients.Message) string) func([]string) (claim, error) {
	return func(words []string) (claim, error) {
		want := strings.Join(words, " ")
		return func(s *stream, r clients.Received) error {
			m, err := r.Message(s.seen - 1)
			if err == nil && field(m) != want {
				err = fmt.Errorf("message %d has %q there, not %q", s.seen, field(m), want)
			}
			return err
		}, nil
	}
}

func endedClaim(words []string) (claim, error) {
	code := strings.Join(words, " ")
	return func(_ *stream, r clients.Received) error {
		f, told, err := r.Failure()
		switch {
		case !r.Ended:
			return errors.New("it has not ended")
		case r.Err != nil:
			return fmt.Errorf("it has not ended in order: %w", r.Err)
		case err != nil:
			return err
		case code != f.Code:
			return fmt.Errorf("it has ended with the code %q, not %q", f.Code, code)
		case told && *f.Retryable != retryable(code):
			return fmt.Errorf("%s says retryable: %t", code, *f.Retryable)
		}
		return nil
	}, nil
}

// retryable is the contract's column of that name.
func retryable(code string) bool {
	return code != "InvalidBindings" && code != "ExchangeForbidden" && code != "BindingRefused"
}

func brokenClaim([]string) (claim, error) {
	return func(_ *stream, r clients.Received) error {
		if r.Err == nil {
			return errors.New("its answer is not broken")
		}
		return nil
	}, nil
}

func retryClaim(words []string) (claim, error) {
	want := strings.Join(words, " ")
	return func(_ *stream, r clients.Received) error {
		f, told, err := r.Failure()
		switch {
		case err != nil:
			return err
		case !told:
			return errors.New("there is no error event")
		case strconv.FormatInt(f.RetryAfterMs, 10) != want:
			return fmt.Errorf("it may try again within %d ms, not %s", f.RetryAfterMs, want)
		}
		return nil
	}, nil
}

func reasonClaim(words []string) (claim, error) {
	want := strings.Join(words, " ")
	return func(_ *stream, r clients.Received) error {
		f, told, err := r.Failure()
		switch {
		case !told:
			return errors.New("there is no error event")
		case err == nil && !strings.Contains(f.Message, want):
			return fmt.Errorf("the reason %q does not contain %q", f.Message, want)
		}
		return err
	}, nil
}

func statusClaim(words []string) (claim, error) {
	want, err := strconv.Atoi(strings.Join(words, " "))
	return func(s *stream, _ clients.Received) error {
		if s.Status != want {
			return fmt.Errorf("the status is %d, not %d", s.Status, want)
		}
		return nil
	}, err
}

func headerClaim(words []string) (claim, error) {
	name, value, ok := strings.Cut(strings.Join(words, " "), ":")
	if !ok {
		return nil, errors.New("usage: expect NAME header 'NAME: VALUE'")
	}
	name, value = textproto.CanonicalMIMEHeaderKey(name), strings.TrimSpace(value)
	return func(s *stream, _ clients.Received) error {
		if have := strings.Join(s.Header[name], ", "); have != value {
			return fmt.Errorf("the header %s is %q, not %q", name, have, value)
		}
		return nil
	}, nil
}

package actors

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// Retryable reports the codes for which a new stream may help.
func TestOnlyRequestsThatMustChangeAreNotRetryable(t *testing.T) {
	final := map[Code]bool{InvalidBindings: true, ExchangeForbidden: true, BindingRefused: true, Unauthorized: true, AccessRevoked: true, "": true, "OfAHost": true}
	for _, c := range append(slices.Clone(Codes), "", "OfAHost", Draining, AtCapacity, TooManyStreams, TooManyConnects) {
		if c.Retryable() == final[c] {
			t.Errorf("%s: retryable %t", c, c.Retryable())
		}
	}
}

func TestTheCodeIsFoundThroughWrapping(t *testing.T) {
	e := &Error{Code: BrokerLost, Reason: "lost", Cause: errors.New("EOF")}
	for _, c := range []struct {
		err  error
		code Code
	}{{nil, ""}, {e, BrokerLost}, {fmt.Errorf("x: %w", e), BrokerLost}, {errors.New("x"), InternalError}} {
		if have := CodeOf(c.err); have != c.code {
			t.Errorf("%v has the code %q, want %q", c.err, have, c.code)
		}
	}
	if e.Error() != "BrokerLost: lost: EOF" || !errors.Is(e, e.Cause) {
		t.Errorf("for the log: %v", e)
	}
}

package actors

import (
	"fmt"
	"testing"
	"time"
)

func code(err *Error) Code {
	if err == nil {
		return ""
	}
	return err.Code
}

func TestAnAddressMayHaveSoManyStreams(t *testing.T) {
	a := newAccount(Limits{StreamsPerAddress: 2})
	for range 2 {
		if err := a.check("x"); err != nil {
			t.Fatal(err)
		}
		a.enter("x", "")
	}
	if code(a.check("x")) != TooManyStreams || a.check("y") != nil {
		t.Fatal("the limit is one address's own")
	}
	a.leave("x", "")
	if err := a.check("x"); err != nil {
		t.Fatal(err)
	}
}

// A fractional rate allows a burst of one, and then one every so often.
func TestAnAddressMayConnectSoOften(t *testing.T) {
	inTime(t, func(t *testing.T) {
		a := newAccount(Limits{ConnectsPerSecond: 0.5})
		for range 3 {
			if err := a.check("x"); err != nil {
				t.Fatal(err)
			}
			if code(a.check("x")) != TooManyConnects {
				t.Fatal("two in two seconds")
			}
			elapse(2 * time.Second)
		}
	})
}

// A refused try takes nothing from the next.
func TestARefusedConnectCostsNoTokenOfTheRate(t *testing.T) {
	inTime(t, func(t *testing.T) {
		a := newAccount(Limits{ConnectsPerSecond: 1})
		a.check("x")
		for range 100 {
			if code(a.check("x")) != TooManyConnects {
				t.Fatal("over the rate")
			}
		}
		elapse(time.Second)
		if err := a.check("x"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnUnknownAddressIsNeverRefusedNorKept(t *testing.T) {
	a := newAccount(Limits{StreamsPerAddress: 1, ConnectsPerSecond: 1})
	for range 100 {
		if err := a.check(""); err != nil {
			t.Fatal(err)
		}
		a.enter("", "")
	}
	a.leave("", "")
	a.leave("nobody", "")
	if len(a.entries) != 0 {
		t.Fatalf("%d entries", len(a.entries))
	}
}

func TestWithoutLimitsNobodyIsRefusedAndNothingStays(t *testing.T) {
	a := newAccount(Limits{})
	for range 100 {
		if err := a.check("x"); err != nil {
			t.Fatal(err)
		}
		a.enter("x", "")
	}
	for range 100 {
		a.leave("x", "")
	}
	if len(a.entries) != 0 {
		t.Fatalf("%d entries", len(a.entries))
	}
}

// Addresses come and go by the million; what they leave must not add up, and
// forgetting must change nothing for those who are still limited.
func TestTheAccountForgetsAddressesThatAreIdle(t *testing.T) {
	inTime(t, func(t *testing.T) {
		a := newAccount(Limits{ConnectsPerSecond: 1})
		for i := range 100_000 {
			a.check(fmt.Sprint(i))
			if i%100 == 0 {
				elapse(100 * time.Millisecond)
			}
		}
		if n := len(a.entries); n > 3000 {
			t.Fatalf("%d entries, though a thousand connect in a second", n)
		}
		if code(a.check("99999")) != TooManyConnects {
			t.Fatal("the last address is forgotten")
		}
	})
}

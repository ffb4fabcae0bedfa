package amqp_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// An error states on one line what was tried, on what, and why it failed.
func TestAnErrorTellsOperationSubjectAndCause(t *testing.T) {
	err := &amqp.Error{Kind: amqp.Refused, Code: 404, Op: "bind", Subject: "exchange/a", Cause: io.EOF}
	if got, want := err.Error(), `bind "exchange/a": refused: EOF`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, c := range []struct {
		err  amqp.Error
		want string
	}{
		{amqp.Error{Kind: amqp.LinkLost, Op: "link", Cause: io.EOF}, "link: link lost: EOF"},
		{amqp.Error{Kind: amqp.LinkLost, Op: "open channel"}, "open channel: link lost"},
		{amqp.Error{Kind: amqp.LinkLost, Op: "dial", Cause: io.EOF}, "dial: EOF"}, // no link was there to be lost
		{amqp.Error{Kind: amqp.LinkLost, Op: "dial", Subject: "a:5671", Cause: io.EOF}, `dial "a:5671": EOF`},
		{amqp.Error{Kind: amqp.LinkLost, Op: "dial"}, "dial: no connection"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	err.Cause = nil
	if got, want := err.Error(), `bind "exchange/a": refused`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The kind survives wrapping, and is 0 for what is no error of a broker.
func TestTheKindOfAnErrorSurvivesWrapping(t *testing.T) {
	err := fmt.Errorf("open stream: %w", &amqp.Error{Kind: amqp.Cancelled, Cause: io.EOF})
	if got := amqp.KindOf(err); got != amqp.Cancelled || !errors.Is(err, io.EOF) {
		t.Errorf("got %s", got)
	}
	if got := amqp.KindOf(io.EOF); got != 0 {
		t.Errorf("got %s", got)
	}
	for kind, want := range map[amqp.Kind]string{
		amqp.Refused: "refused", amqp.Cancelled: "cancelled", amqp.ChannelLost: "channel lost",
		amqp.LinkLost: "link lost", amqp.Exhausted: "channels exhausted", amqp.Nacked: "not taken",
	} {
		if kind.String() != want {
			t.Errorf("got %q, want %q", kind, want)
		}
	}
}

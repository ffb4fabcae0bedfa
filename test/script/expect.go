package script

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/clients"
)

// expect waits until a claim is true. With a ! before it, the claim must be
// false at once: use it where nothing more can come.
//
//	expect ada ready
//	expect ada 300 messages
//	expect bob ended BindingRefused
//	! expect bob ready
//	expect broker 1 queue
//	expect process clean
//	expect answer '^200'
func expect(w *world, _ *testscript.TestScript, neg bool, args []string) error {
	return w.expect(neg, args)
}

func (w *world) expect(neg bool, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: expect NAME|broker|process|tree|answer CLAIM…")
	}
	subject, words := args[0], args[1:]
	switch {
	case neg && (subject == "broker" || subject == "process" || subject == "tree"):
		return fmt.Errorf("a claim about the %s can not be negated", subject)
	case subject == "broker":
		return w.expectBroker(words)
	case subject == "process":
		return w.expectProcess(words)
	case subject == "tree":
		return w.expectTree(words)
	case subject == "answer":
		return w.expectAnswer(neg, words)
	}
	found, err := w.named(subject)
	if err != nil {
		return err
	}
	claim, err := parseClaim(words)
	if err != nil {
		return err
	}
	for _, s := range found {
		if err := w.expectStream(s, claim, neg); err != nil {
			return fmt.Errorf("%s: %w", subject, err)
		}
	}
	return nil
}

// expectStream waits for the claim, and checks in any case that the stream
// keeps the contract.
func (w *world) expectStream(s *stream, c claim, neg bool) error {
	if neg {
		if c(s, s.Received()) == nil {
			return errors.New("the claim is true")
		}
		return s.breaches()
	}
	ctx, cancel := w.bounded()
	defer cancel()
	err := s.Wait(ctx, func(r clients.Received) error { return c(s, r) })
	return errors.Join(err, s.breaches())
}

// breaches is what of the contract the stream has broken so far.
func (s *stream) breaches() error {
	if s.Status != http.StatusOK {
		return nil
	}
	return s.Received().Check()
}

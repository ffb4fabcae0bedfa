package script

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// Harm is a fault that a script has asked for.
type Harm struct {
	Name   string
	Asked  time.Time
	Sign   string    // that it has happened, "" where none was seen
	Seen   time.Time // when the sign was
	Reason string    // why none was seen
}

// ErrNotHere is wrapped by the failure of a script that asks for what the run does
// not have, such as a broker's process: the script's claim was not tried.
var ErrNotHere = errors.New("it cannot be done here")

func notHere(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNotHere}, args...)...)
}

// awaited is a harm and the sign that is looked for.
type awaited struct {
	Harm
	sign faults.Sign
}

// harm makes a fault happen and notes what its sign will be.
func (w *world) harm(ctx context.Context, name string, fault Fault) error {
	w.harmed = true
	if fault.Watch == nil {
		return fault.Happen(ctx)
	}
	h := &awaited{Harm: Harm{Name: name, Asked: time.Now()}}
	w.harms = append(w.harms, h)
	var err error
	if h.sign, err = fault.Watch(ctx); err != nil {
		h.Reason = err.Error()
	}
	if err := fault.Happen(ctx); err != nil {
		return err
	}
	h.look(ctx)
	return nil
}

// look looks for the sign once.
func (h *awaited) look(ctx context.Context) {
	if h.Sign != "" || h.sign == nil {
		return
	}
	sign, err := h.sign(ctx)
	if h.Sign = sign; sign != "" {
		h.Seen = time.Now()
	}
	if err != nil {
		h.Reason = err.Error()
	}
}

// lookAround looks for the signs of all harms; it is called between commands, as
// a sign may pass.
func (w *world) lookAround() {
	if !slices.ContainsFunc(w.harms, func(h *awaited) bool { return h.Sign == "" && h.sign != nil }) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	for _, h := range w.harms {
		h.look(ctx)
	}
}

// unseen returns the harms that were never seen, each with the reason.
func (w *world) unseen() (list []string) {
	for _, h := range w.harms {
		if h.Sign == "" {
			list = append(list, strings.TrimSuffix(h.Name+": "+h.Reason, ": "))
		}
	}
	return list
}

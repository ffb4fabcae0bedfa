package faults

import (
	"context"
	"time"
)

// keptEvery is the time between two looks for a sign that passes.
const keptEvery = 5 * time.Millisecond

// Kept looks for a sign at once and again and again, for so long, and keeps it: for signs
// that pass before anything else would look.
func Kept(sign Sign, during time.Duration) Sign {
	seen, failed := make(chan string, 1), make(chan error, 1) // whether or not anything looks
	ctx, cancel := context.WithTimeout(context.Background(), during)
	go func() { // ends with the time, or with the sign
		defer cancel()
		var err error
		for said := ""; ctx.Err() == nil; time.Sleep(keptEvery) {
			if said, err = sign(ctx); said != "" {
				seen <- said
				return
			}
		}
		failed <- err
	}()
	said, err := "", error(nil)
	return func(context.Context) (string, error) {
		select {
		case said = <-seen:
		case err = <-failed:
		default:
		}
		return said, err
	}
}

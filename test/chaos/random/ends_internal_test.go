package random

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// A stream that was harmed is seen to end in a crowd of streams that end with it; and where it is not
// seen, the run says why.
func TestTheEndOfAStreamIsSeenInACrowdOrItIsSaidWhyNot(t *testing.T) {
	const victim = 150
	crowd := func(from, to int) (list []actors.StreamEnd) {
		for n := from; n <= to; n++ {
			list = append(list, actors.StreamEnd{Number: int64(n), ID: fmt.Sprint("stream ", n), Code: actors.InternalError})
		}
		return list
	}
	for name, c := range map[string]struct {
		ends      []actors.StreamEnd
		failures  int64 // that the proxy counts, beside one that another crash has been seen by
		open      bool
		status    int
		sign, why string
	}{
		"in a crowd":            {ends: crowd(101, 700), failures: 1, sign: "the proxy's list of ends: InternalError"},
		"by another crash":      {ends: crowd(101, 700), why: "no failure that is not another harm's"},
		"it goes on":            {open: true, why: "the stream is open still"},
		"it is nowhere":         {ends: crowd(101, 110), why: "neither as open nor as ended"},
		"the list was cut":      {ends: crowd(200, 700), why: "99 ends had left the proxy's list"},
		"the list is not there": {status: http.StatusNotFound, why: "cannot be read: GET /__tree__/ends: 404"},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.status != 0 {
					w.WriteHeader(c.status)
					return
				}
				_ = json.NewEncoder(w).Encode(slices.DeleteFunc(slices.Clone(c.ends), func(e actors.StreamEnd) bool {
					return fmt.Sprint(e.Number) <= r.URL.Query().Get("after") // all have three digits
				}))
			}))
			defer proxy.Close()
			o := Options{Log: io.Discard, SignPatience: time.Nanosecond}
			run := &conductor{options: o, book: newBook(o), operator: newOperator(proxy.URL), ends: ends{last: 100}, local: true}
			harm := &life{kind: Harm{Name: "crash worker", Scope: OneStream, Codes: []actors.Code{actors.InternalError}}, asked: time.Now()}
			harm.victim.ID = fmt.Sprint("stream ", victim)
			run.harms.count = map[string]*HarmCount{harm.kind.Name: {}}
			harm.look = run.failureOf(harm.victim.ID, harm.kind.Codes)
			run.harms.lives = []*life{{kind: harm.kind, seen: time.Now()}}
			now := picture{}
			now.Stats.Failures = 1 + c.failures
			if c.open {
				now.Streams = []actors.StreamState{{ID: harm.victim.ID}}
			}
			run.picture.Store(&now)
			for range 2 { // the second look finds nothing new
				run.readEnds(t.Context())
			}
			sign, err := harm.look(t.Context())
			if sign != c.sign || err != nil {
				t.Errorf("%q, %v", sign, err)
			}
			if run.lookFor(t.Context(), harm); !strings.Contains(run.harms.count[harm.kind.Name].Undone, c.why) {
				t.Errorf("not done: %q", run.harms.count[harm.kind.Name].Undone)
			}
		})
	}
}

// What has long ended is forgotten at last, and what has ended since is not.
func TestEndsAreKeptForLongEnough(t *testing.T) {
	e, now := ends{}, time.Now()
	for n := range 2*enoughEnds + 1 {
		e.take([]actors.StreamEnd{{Number: int64(n + 1), ID: fmt.Sprint(n), Code: actors.ClientGone}}, now)
	}
	if _, old := e.of("0"); old || len(e.codes)+len(e.older) > 2*enoughEnds {
		t.Errorf("%d and %d are kept", len(e.codes), len(e.older))
	}
	for _, n := range []int{enoughEnds + 1, 2 * enoughEnds} {
		if code, ended := e.of(fmt.Sprint(n)); !ended || code != actors.ClientGone {
			t.Errorf("end %d is forgotten", n)
		}
	}
	if e.lost > 0 {
		t.Errorf("%d lost", e.lost)
	}
}

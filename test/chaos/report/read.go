package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/taskcluster/events-proxy/test/chaos/check"
)

// Run is the history's first line.
type Run struct {
	Mode        string            `json:"mode"`
	Started     string            `json:"started"`
	Command     string            `json:"command"`
	Seed        uint64            `json:"seed,omitempty"`
	Clients     int               `json:"clients,omitempty"`
	Seconds     float64           `json:"seconds,omitempty"`
	Patience    float64           `json:"patience,omitempty"`
	Shared      bool              `json:"shared"`
	Routed      bool              `json:"routed,omitempty"`
	Nodes       int               `json:"nodes,omitempty"` // of the broker's cluster
	Memory      float64           `json:"memory,omitempty"`
	Environment map[string]string `json:"environment"`
}

// line is any line of a history.
type line struct {
	T    float64
	Kind string

	Name, Script, Claim, Verdict, Reason, Evidence, Code, How, Error, Role, Decision, Sign, Line, What, Does string
	Wanted, Told                                                                                             string
	N, Client, Stream, From, Harm, Status, Queues                                                            int
	Took, Resident, Streams                                                                                  float64
	Confirmed, Redelivered                                                                                   bool
	At                                                                                                       []int
}

// reading is what a report needs of a history.
type reading struct {
	run       Run
	verdict   string
	judgement check.Judgement
	logs      []string
	does      map[string]string // by the name of a harm: what it does

	last      float64
	phases    map[string]float64
	published map[int]float64
	arrivals  []arrival
	ready     []change // of the number of streams that are ready
	resident  []point  // MiB
	queues    []point
	harms     []*harm
	byNumber  map[int]*harm
	skipped   []line
	codes     map[string]int
	failures  map[string]int // role and decision
	statuses  map[string]int
	scripts   []line
	notable   []line // what is shown around a violation
	isReady   map[int]bool
}

type arrival struct {
	t, delay float64 // delay -1: it is not known when it was published
}

type change struct {
	t  float64
	by int
}

type point struct{ t, v float64 }

type harm struct {
	number              int
	name, script        string
	client              int
	asked, seen, healed float64 // -1: not
	sign, undone        string
}

func read(from io.Reader) (*reading, error) {
	r := &reading{
		phases: map[string]float64{}, does: map[string]string{}, published: map[int]float64{}, byNumber: map[int]*harm{}, codes: map[string]int{},
		failures: map[string]int{}, statuses: map[string]int{}, isReady: map[int]bool{},
	}
	lines := bufio.NewReaderSize(from, 1<<16)
	for number := 1; ; number++ {
		text, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return r, nil
		}
		if err != nil {
			return nil, err
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if l.Kind == "run" {
			if err := json.Unmarshal(text, &r.run); err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
			continue
		}
		r.take(l)
	}
}

func (r *reading) take(l line) {
	r.last = max(r.last, l.T)
	switch l.Kind {
	case "phase":
		r.phases[l.Name] = l.T
	case "publish":
		r.published[l.N] = l.T
		if !l.Confirmed {
			r.notable = append(r.notable, l)
		}
		return
	case "messages":
		for i, ms := range l.At {
			a := arrival{t: l.T + float64(ms)/1000, delay: -1}
			if sent, ok := r.published[l.From+i]; ok && r.run.Mode == "random" {
				a.delay = a.t - sent
			}
			r.arrivals = append(r.arrivals, a)
		}
		return
	case "ready":
		r.ready = append(r.ready, change{l.T, 1})
		r.isReady[l.Stream] = true
	case "open":
		if l.Status != 200 {
			r.statuses[fmt.Sprint(l.Status)]++
		}
	case "error":
		r.codes[l.Code]++
	case "end":
		if r.isReady[l.Stream] {
			r.ready = append(r.ready, change{l.T, -1})
		}
	case "sample":
		r.resident = append(r.resident, point{l.T, l.Resident / (1 << 20)})
		return
	case "census":
		if l.Error != "" {
			break
		}
		r.queues = append(r.queues, point{l.T, float64(l.Queues)})
		return
	case "failure":
		r.failures[l.Role+" "+l.Decision]++
	case "skipped":
		r.skipped = append(r.skipped, l)
	case "script":
		r.scripts = append(r.scripts, l)
	case "asked", "seen", "healed", "undone":
		r.takeHarm(l)
	case "harmkind":
		r.does[l.Name] = l.Does
		return
	case "verdict":
		return
	}
	r.notable = append(r.notable, l)
}

func (r *reading) takeHarm(l line) {
	h := r.byNumber[l.Harm]
	if l.Kind == "asked" {
		h = &harm{number: l.Harm, name: l.Name, script: l.Script, client: l.Client, asked: l.T, seen: -1, healed: -1}
		r.byNumber[l.Harm], r.harms = h, append(r.harms, h)
		return
	}
	if h == nil {
		return
	}
	switch l.Kind {
	case "seen":
		h.seen, h.sign = l.T, l.Sign
	case "healed":
		h.healed = l.T
	case "undone":
		h.undone = l.Reason
	}
}

// String is a line as people read it.
func (l line) String() string {
	switch l.Kind {
	case "asked":
		if l.Client >= 0 {
			return fmt.Sprintf("harm %d asked: %s, client %d", l.Harm, l.Name, l.Client)
		}
		return fmt.Sprintf("harm %d asked: %s", l.Harm, l.Name)
	case "seen":
		return fmt.Sprintf("harm %d seen: %s", l.Harm, l.Sign)
	case "healed":
		return fmt.Sprintf("harm %d healed", l.Harm)
	case "undone":
		return fmt.Sprintf("harm %d not done: %s", l.Harm, l.Reason)
	case "open":
		if l.Status != 200 {
			return fmt.Sprintf("client %d was answered with status %d %s", l.Client, l.Status, l.Error)
		}
		return fmt.Sprintf("client %d opened stream %d %s", l.Client, l.Stream, l.Name)
	case "ready":
		return fmt.Sprintf("stream %d is ready", l.Stream)
	case "error":
		return fmt.Sprintf("stream %d was told %s", l.Stream, l.Code)
	case "end":
		return fmt.Sprintf("stream %d ended: %s %s", l.Stream, l.How, l.Error)
	case "publish":
		return fmt.Sprintf("message %d was not confirmed: %s", l.N, l.Error)
	case "failure":
		return fmt.Sprintf("%s failed and was %s: %s", l.Role, l.Decision, l.Reason)
	case "told":
		return fmt.Sprintf("a client that must be told %s was told %s", l.Wanted, l.Told)
	case "held":
		return "what the broker holds was counted"
	case "backlog":
		return "the messages that the broker holds were counted"
	case "ended":
		return "the proxy was ended " + l.Error
	case "phase":
		return "phase: " + l.Name
	case "command":
		return fmt.Sprintf("%s: %s %s", l.Script, l.Line, l.Error)
	case "script":
		return fmt.Sprintf("%s: %s", l.Script, l.Verdict)
	case "skipped":
		return fmt.Sprintf("skipped: %s: %s", l.What, l.Reason)
	}
	return l.Kind
}

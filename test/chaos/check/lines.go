package check

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// run is the history's first line.
type run struct {
	Version  int
	Mode     string
	Clients  int
	Patience float64
	Memory   float64
	Shared   bool
	Routed   bool
}

// publish is one published number.
type publish struct {
	t         float64
	confirmed bool
}

// stream is all that is told of one stream.
type stream struct {
	number, client, group int
	opened                float64
	ready                 float64 // of the ready event; -1: none
	readies, errors       int
	batches               []batch
	code                  string
	retryable             bool
	ended                 float64 // -1: no end is told
	how, odd, why         string
}

// batch is consecutive numbers from one on, and their arrival.
type batch struct {
	t           float64
	from        int
	at          []int // ms after t
	redelivered bool
}

func (b batch) time(i int) float64 { return b.t + float64(b.at[i])/1000 }

// refusal is an answer to a client that is no stream.
type refusal struct {
	t             float64
	client, group int
	status        int
}

// harm is all that is told of one harm.
type harm struct {
	number        int
	name, scope   string
	client, group int
	codes         []string
	late          late
	asked         float64
	seen, healed  float64 // -1: not
	undone        float64 // -1: not
	reason        string
}

// late is what a harm explains after it is over, see history.Late.
type late struct {
	Codes      []string
	After, For float64
}

// deafness is a time in which streams may miss messages, unsaid.
type deafness struct{ from, back, until float64 }

// sample is the proxy's own account at one moment.
type sample struct {
	t                                       float64
	Streams, Channels, Actors, Failures     float64
	Goroutines, Descriptors, Resident, Heap float64
	Ended                                   map[string]float64
}

// census is what the broker holds at one moment.
type census struct {
	t                                                  float64
	Queues, Consumers, Bindings, Channels, Connections int
	Error                                              string // why nothing is known of it
}

func (c census) String() string {
	return fmt.Sprintf("%d queues, %d consumers, %d bindings, %d channels, %d connections", c.Queues, c.Consumers, c.Bindings, c.Channels, c.Connections)
}

// told is what was told to a client that asked for what must be refused.
type told struct {
	t            float64
	wanted, told string
}

// held is what the broker holds while streams are open.
type held struct {
	t                                             float64
	Queues, Channels, Connections, Workers, Nodes int
}

// backlog is how many messages the broker holds when every client has all.
type backlog struct {
	t        float64
	Messages int
	Error    string // why nothing is known of it
}

// script is a script's own verdict, with its failed commands and harms.
type script struct {
	name, verdict, reason string
	t                     float64
}

// record is a whole history.
type record struct {
	run       run
	phases    map[string]float64
	kinds     []string
	skipped   []string
	published map[int]publish
	most      int // the largest published number
	streams   map[int]*stream
	order     []*stream
	refusals  []refusal
	harms     map[int]*harm
	harmOrder []*harm
	relinked  []float64 // when the proxy's links have changed
	deaf      []deafness
	samples   []sample
	censuses  []census
	told      []told
	held      []held
	backlogs  []backlog
	ends      []string // what was wrong with the proxy's end, "" for nothing
	scripts   []script
	failed    map[string]string // script → its failed command
	tried     map[string]int    // script → how many claims of its own were judged, and held
	unseen    map[string]string // script → a harm that was not seen
	harmed    map[int]string    // harm → script
	verdict   string
	rows      map[string]string // invariant → the runner's verdict on it
	last      float64
}

// read takes a history in.
func read(from io.Reader) (*record, error) {
	r := &record{
		phases: map[string]float64{}, published: map[int]publish{}, streams: map[int]*stream{}, harms: map[int]*harm{},
		failed: map[string]string{}, tried: map[string]int{}, unseen: map[string]string{}, harmed: map[int]string{}, rows: map[string]string{},
	}
	lines := bufio.NewReaderSize(from, 1<<16)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 && err == nil {
			if err := r.take(line); err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
		}
		switch {
		case err == io.EOF && len(line) > 0:
			return nil, fmt.Errorf("line %d is cut off: the run did not end", number)
		case err == io.EOF && r.run.Version == 0:
			return nil, errors.New("it has no run")
		case err == io.EOF:
			return r, nil
		case err != nil:
			return nil, err
		}
	}
}

// fields are those of all kinds of lines.
type fields struct {
	T    float64
	Kind string
	run

	Name, Script, Line, Error, Verdict, Reason, Scope, How, Odd, Code, What, Wanted, Told string
	N, Client, Stream, Group, Status, From, Harm                                          int
	Confirmed, Redelivered, Retryable                                                     bool
	Back, Until                                                                           float64
	At                                                                                    []int
	Codes                                                                                 []string
	Late                                                                                  late
	Invariants                                                                            []struct{ Name, Verdict string }
}

func (r *record) take(line []byte) error {
	var f fields
	if err := json.Unmarshal(line, &f); err != nil {
		return err
	}
	r.last = max(r.last, f.T)
	switch f.Kind {
	case "run":
		if f.Version != 1 {
			return fmt.Errorf("a history of version %d, and this judge knows 1", f.Version)
		}
		r.run = f.run
	case "phase":
		r.phases[f.Name] = f.T
	case "harmkind":
		r.kinds = append(r.kinds, f.Name)
	case "skipped":
		r.skipped = append(r.skipped, f.What+": "+f.Reason)
	case "publish":
		r.published[f.N] = publish{f.T, f.Confirmed}
		r.most = max(r.most, f.N)
	case "command":
		if f.Error != "" {
			r.failed[f.Script] = f.Line + ": " + f.Error
		} else if tries(f.Line) {
			r.tried[f.Script]++
		}
	case "script":
		r.scripts = append(r.scripts, script{name: f.Script, verdict: f.Verdict, reason: f.Reason, t: f.T})
	case "told":
		r.told = append(r.told, told{f.T, f.Wanted, f.Told})
	case "held":
		r.held = append(r.held, held{t: f.T})
		return json.Unmarshal(line, &r.held[len(r.held)-1])
	case "backlog":
		r.backlogs = append(r.backlogs, backlog{t: f.T})
		return json.Unmarshal(line, &r.backlogs[len(r.backlogs)-1])
	case "ended":
		r.ends = append(r.ends, f.Error)
	case "verdict":
		r.verdict = f.Verdict
		for _, i := range f.Invariants {
			r.rows[i.Name] = i.Verdict
		}
	case "sample":
		s := sample{t: f.T}
		r.samples = append(r.samples, s)
		return json.Unmarshal(line, &r.samples[len(r.samples)-1])
	case "census":
		r.censuses = append(r.censuses, census{t: f.T})
		return json.Unmarshal(line, &r.censuses[len(r.censuses)-1])
	case "links":
		r.relinked = append(r.relinked, f.T)
	case "deaf":
		r.deaf = append(r.deaf, deafness{f.T, f.T + f.Back, f.T + f.Until})
	case "open", "ready", "messages", "error", "end":
		return r.takeOfStream(f)
	case "asked", "seen", "healed", "undone":
		return r.takeOfHarm(f)
	}
	return nil // of no interest to this judge, such as failure
}

func (r *record) takeOfStream(f fields) error {
	if f.Kind == "open" && f.Status != 200 {
		r.refusals = append(r.refusals, refusal{f.T, f.Client, f.Group, f.Status})
		return nil
	}
	s := r.streams[f.Stream]
	if f.Kind == "open" {
		if s != nil {
			return fmt.Errorf("stream %d is opened twice", f.Stream)
		}
		s = &stream{number: f.Stream, client: f.Client, group: f.Group, opened: f.T, ready: -1, ended: -1}
		r.streams[f.Stream], r.order = s, append(r.order, s)
		return nil
	}
	if s == nil {
		return fmt.Errorf("stream %d was not opened", f.Stream)
	}
	switch f.Kind {
	case "ready":
		s.ready = f.T
		s.readies++
	case "messages":
		s.batches = append(s.batches, batch{f.T, f.From, f.At, f.Redelivered})
	case "error":
		s.code, s.retryable = f.Code, f.Retryable
		s.errors++
	case "end":
		s.ended, s.how, s.odd, s.why = f.T, f.How, f.Odd, f.Error
	}
	return nil
}

func (r *record) takeOfHarm(f fields) error {
	h := r.harms[f.Harm]
	if f.Kind == "asked" {
		if h != nil {
			return fmt.Errorf("harm %d is asked for twice", f.Harm)
		}
		h = &harm{
			number: f.Harm, name: f.Name, scope: f.Scope, client: f.Client, group: f.Group, codes: f.Codes, late: f.Late,
			asked: f.T, seen: -1, healed: -1, undone: -1,
		}
		r.harms[f.Harm], r.harmOrder = h, append(r.harmOrder, h)
		r.harmed[f.Harm] = f.Script
		return nil
	}
	if h == nil {
		return fmt.Errorf("harm %d was not asked for", f.Harm)
	}
	switch f.Kind {
	case "seen":
		h.seen = f.T
	case "healed":
		h.healed = f.T
	case "undone":
		h.undone, h.reason = f.T, f.Reason
		r.unseen[r.harmed[f.Harm]] = h.name + ": " + f.Reason
	}
	return nil
}

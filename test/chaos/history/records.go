package history

// Record is one line of a history, without its stamp.
type Record interface{ kind() string }

func (Kind) kind() string     { return "harmkind" }
func (Run) kind() string      { return "run" }
func (Phase) kind() string    { return "phase" }
func (Publish) kind() string  { return "publish" }
func (Open) kind() string     { return "open" }
func (Ready) kind() string    { return "ready" }
func (Messages) kind() string { return "messages" }
func (Error) kind() string    { return "error" }
func (End) kind() string      { return "end" }
func (Asked) kind() string    { return "asked" }
func (Seen) kind() string     { return "seen" }
func (Healed) kind() string   { return "healed" }
func (Links) kind() string    { return "links" }
func (Undone) kind() string   { return "undone" }
func (Deaf) kind() string     { return "deaf" }
func (Skipped) kind() string  { return "skipped" }
func (Failure) kind() string  { return "failure" }
func (Sample) kind() string   { return "sample" }
func (Census) kind() string   { return "census" }
func (Command) kind() string  { return "command" }
func (Script) kind() string   { return "script" }
func (Told) kind() string     { return "told" }
func (Held) kind() string     { return "held" }
func (Backlog) kind() string  { return "backlog" }
func (Ended) kind() string    { return "ended" }
func (Verdict) kind() string  { return "verdict" }

// Run is what is going to be done.
type Run struct {
	Version     int               `json:"version"` // of this format
	Mode        string            `json:"mode"`    // random or scripts
	Started     string            `json:"started"` // wall clock, RFC 3339
	Command     string            `json:"command"` // that repeats it
	Seed        uint64            `json:"seed,omitempty"`
	Clients     int               `json:"clients,omitempty"`
	Seconds     float64           `json:"seconds,omitempty"`  // of harm
	Patience    float64           `json:"patience,omitempty"` // seconds that healing may take
	Shared      bool              `json:"shared"`             // streams with equal bindings have one queue
	Routed      bool              `json:"routed,omitempty"`   // all streams have one queue
	Nodes       int               `json:"nodes,omitempty"`    // of the broker's cluster
	Memory      int64             `json:"memory,omitempty"`   // bytes that the process may have resident
	Environment map[string]string `json:"environment"`
}

// Phase is what the run does from here on.
type Phase struct {
	Name string `json:"name"`
}

// Publish is one number, at the time when its publishing began.
type Publish struct {
	N         int     `json:"n"`
	Took      float64 `json:"took"`      // seconds to the broker's confirm
	Confirmed bool    `json:"confirmed"` // else nothing is known of it
	Error     string  `json:"error,omitempty"`
}

// Open is the head of an answer to a client.
type Open struct {
	Name   string `json:"name,omitempty"` // in a script
	Client int    `json:"client"`
	Stream int    `json:"stream"` // the run's number of the stream
	Group  int    `json:"group"`  // streams of a group share a queue, where there are shared ones
	Status int    `json:"status"` // 0: there was no answer
	// Error is why there was none.
	Error string `json:"error,omitempty"`
}

// Ready is a stream's ready event.
type Ready struct {
	Stream int `json:"stream"`
}

// Messages are consecutive numbers that a stream received.
type Messages struct {
	Stream      int   `json:"stream"`
	From        int   `json:"from"`
	At          []int `json:"at"` // arrival of each, milliseconds after t
	Redelivered bool  `json:"redelivered,omitempty"`
}

// Error is a stream's error event.
type Error struct {
	Stream    int    `json:"stream"`
	Code      string `json:"code"`
	Retryable bool   `json:"retryable"`
	Message   string `json:"message"`
}

// End is the end of a stream's answer.
type End struct {
	Stream int    `json:"stream"`
	How    string `json:"how"` // order, broken, left
	Error  string `json:"error,omitempty"`
	Odd    string `json:"odd,omitempty"` // what a stream must not hold, such as a message before ready
}

// Asked is a harm that was asked for.
type Asked struct {
	Harm   int      `json:"harm"`
	Name   string   `json:"name"`
	Scope  string   `json:"scope"` // stream, group, all, none: whom it may touch
	Client int      `json:"client"`
	Group  int      `json:"group"`
	Codes  []string `json:"codes,omitempty"` // that it explains
	Late   *Late    `json:"late,omitempty"`  // what it explains afterwards
	Script string   `json:"script,omitempty"`
}

// Late are codes that a harm explains after it is over, as the proxy makes up for it: from After
// seconds on after its asking, until For seconds after it was over or, where that is later, after
// the proxy's links changed by it for the last time. A change is the harm's that comes after its
// asking and within For of its being over or of a change that is. Without such a change it explains
// none of them.
type Late struct {
	Codes []string `json:"codes"`
	After float64  `json:"after"`
	For   float64  `json:"for"`
}

// Links are the proxy's connections to its broker from here on, by the proxy's own account.
type Links struct {
	Addresses []string `json:"addresses"`       // one for each link
	Blind     []string `json:"blind,omitempty"` // of nodes that do not hear the others of their cluster
}

// Seen is an independent sign of a harm.
type Seen struct {
	Harm int    `json:"harm"`
	Sign string `json:"sign"`
}

// Healed is when every client that a harm could touch is served again.
type Healed struct {
	Harm int `json:"harm"`
}

// Undone is a harm that was asked for and not seen.
type Undone struct {
	Harm   int    `json:"harm"`
	Reason string `json:"reason"`
}

// Skipped is what cannot be tried or judged here.
type Skipped struct {
	What   string `json:"what"`
	Reason string `json:"reason"`
}

// Failure is an actor that failed, and what its supervisor decided.
type Failure struct {
	Role     string `json:"role"`
	Actor    string `json:"actor,omitempty"`
	Reason   string `json:"reason"`
	Decision string `json:"decision"` // restarted, stopped
	Account  string `json:"account"`  // where it was read: log, tree
}

// Told is what a client beside the run's was told, who asked for what must be refused.
type Told struct {
	Wanted string `json:"wanted"` // the code
	Told   string `json:"told"`   // a code; ready where it was let in; or what else came
}

// Held is what the broker holds of the proxy's while streams are open and nothing is harmed, beside
// what the proxy says that it needs.
type Held struct {
	Queues      int    `json:"queues"`
	Channels    int    `json:"channels"`
	Connections int    `json:"connections"` // each has few more, for dead letters and the like
	Workers     int64  `json:"workers"`     // by the proxy's account: each has a channel and a queue
	Nodes       int    `json:"nodes"`       // of the broker's cluster
	Account     string `json:"account"`     // of the first three: broker, proxy
}

// Backlog is how many messages the broker holds in the proxy's queues when every client has all;
// nothing is known of that where there is an error.
type Backlog struct {
	Messages int    `json:"messages"`
	Error    string `json:"error,omitempty"`
}

// Ended is how the proxy's process ended, where that was the run's to do.
type Ended struct {
	Error string `json:"error,omitempty"` // what was wrong with it, or was left on the broker
}

// Sample is the proxy's own account.
type Sample struct {
	Streams     int64            `json:"streams"`
	Channels    int64            `json:"channels"`
	Links       int64            `json:"links"`
	LinksLost   int64            `json:"linksLost"`
	Actors      int              `json:"actors"` // of streams
	Restarts    int64            `json:"restarts"`
	Failures    int64            `json:"failures"`
	Messages    int64            `json:"messages"`
	Ended       map[string]int64 `json:"ended,omitempty"`
	Goroutines  float64          `json:"goroutines,omitempty"`
	Descriptors float64          `json:"descriptors,omitempty"`
	Resident    float64          `json:"resident,omitempty"` // bytes
	Heap        float64          `json:"heap,omitempty"`     // bytes allocated
}

// Census is what the broker holds of the proxy's; nothing is known of that where there is an error.
type Census struct {
	Queues      int    `json:"queues"`
	Consumers   int    `json:"consumers"`
	Bindings    int    `json:"bindings"`
	Channels    int    `json:"channels"`
	Connections int    `json:"connections"`
	Account     string `json:"account"` // broker, proxy
	Error       string `json:"error,omitempty"`
}

// Command is a line of a script.
type Command struct {
	Script string  `json:"script"`
	Line   string  `json:"line"`
	Took   float64 `json:"took"` // seconds
	Error  string  `json:"error,omitempty"`
}

// Script is how a script went.
type Script struct {
	Script   string  `json:"script"`
	Claim    string  `json:"claim"`
	Verdict  string  `json:"verdict"`
	Reason   string  `json:"reason,omitempty"`
	Evidence string  `json:"evidence"` // what the broker holds in the end
	Took     float64 `json:"took"`
}

// Verdict is the runner's judgement.
type Verdict struct {
	Verdict    string      `json:"verdict"` // pass, fail, unknown
	Reasons    []string    `json:"reasons,omitempty"`
	Invariants []Invariant `json:"invariants,omitempty"`
}

// Invariant is a claim and how often it was tried.
type Invariant struct {
	Name     string `json:"name"`
	Claim    string `json:"claim"`
	Checked  int64  `json:"checked"`
	Violated int64  `json:"violated"`
	Verdict  string `json:"verdict"`
	Reason   string `json:"reason,omitempty"`
}

// Kind is a kind of harm that the run will ask for, and must see.
type Kind struct {
	Name  string `json:"name"`
	Does  string `json:"does,omitempty"` // what happens, in a sentence
	Scope string `json:"scope"`
}

// Deaf is a time, from the line's own on, in which streams may miss messages without
// being told, as the documentation admits: until Back all streams that are open then,
// until Until those that were opened before Back, or with shared queues any.
type Deaf struct {
	Harm  int     `json:"harm"`
	Back  float64 `json:"back"`  // seconds from the beginning
	Until float64 `json:"until"` // seconds from the beginning
}

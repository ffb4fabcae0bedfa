package main

// sighting is how a defect is seen from outside: by a run of events-chaos, which knows
// nothing of the code. The runs are the same for all, none is made for a defect.
type sighting struct {
	defect string
	run    string // the arguments of events-chaos run
}

// Random runs: with a queue for each stream, and with shared ones.
const (
	harm       = "--random 15 --clients 20"
	sharedHarm = harm + " --shared"
)

// played is the run of one script.
func played(name string) string { return "test/chaos/scripts/" + name + ".txt" }

var sightings = []sighting{
	{"no 204", played("a08-no-reconnect")},
	{"broken JSON passed on", played("a17-payloads")},
	{"drain forgets the streams", played("a19-drain")},
	{"watchdog of readers off", played("a12-full-window")},
	{"backlog limit off", played("a12-backlog")},
	{"cut instead of retired", played("a26-frozen-call")},
	{"forgotten close", harm},
	{"first ping missing", harm},
	{"costly patterns allowed", harm},
	{"no rebinding", harm},
	{"ready too early", harm},
	{"bound before ready, but the last", harm},
	{"lost verdict", harm},
	{"lease not given back", harm},
	{"acknowledged never", harm},
	{"no redial", harm},
	{"feed not rebuilt", sharedHarm},
}

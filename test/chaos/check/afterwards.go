package check

import "cmp"

// What a random run has left when it is over.

// brokerClean: the last census is no more than the first. One that failed proves nothing.
func (j *judge) brokerClean() {
	row := j.row("broker-clean", "queues, consumers, bindings, channels and connections are back where they were")
	if len(j.censuses) == 0 {
		row.Verdict, row.Reason = skipped, "nothing here can ask the broker"
		return
	}
	a, b := j.censuses[0], j.censuses[len(j.censuses)-1]
	if len(j.censuses) == 1 || b.Error != "" {
		row.Reason = "the last census failed: " + cmp.Or(b.Error, "there is none")
		return
	}
	row.Checked++
	if b.Queues > a.Queues || b.Consumers > a.Consumers || b.Bindings > a.Bindings || b.Channels > a.Channels || b.Connections > a.Connections {
		j.violate(row, b.t, 0, "left on the broker: %s; before: %s", b, a)
	}
}

// processClean: the last sample is no more than the first.
func (j *judge) processClean() {
	row := j.row("process-clean", "streams, actors, goroutines, descriptors and memory are back where they were")
	if len(j.samples) < 2 {
		j.doubt("process-clean: there are no samples of the process")
		return
	}
	row.Checked++
	a, b := j.samples[0], j.samples[len(j.samples)-1]
	more := func(what string, before, after, slack float64) {
		if after > before+slack {
			j.violate(row, b.t, 0, "%g %s, %g before", after, what, before)
		}
	}
	more("streams", a.Streams, b.Streams, 0)
	more("channels", a.Channels, b.Channels, 0)
	more("actors of streams", a.Actors, b.Actors, 0)
	more("goroutines", a.Goroutines, b.Goroutines, 0)
	more("descriptors", a.Descriptors, b.Descriptors, 0)
	more("bytes resident", a.Resident, b.Resident, residentSlack)
	more("bytes of heap", a.Heap, b.Heap, heapSlack)
}

// memory: the process stays below its limit.
func (j *judge) memory() {
	row := j.row("memory", "the process stays below the memory that it may have")
	if j.run.Memory == 0 {
		row.Verdict, row.Reason = skipped, "no limit was named"
		return
	}
	for _, s := range j.samples {
		row.Checked++
		if s.Resident > j.run.Memory {
			j.violate(row, s.t, 0, "%g bytes are resident, at most %g may be", s.Resident, j.run.Memory)
		}
	}
}

// refusal: what asks for what must be refused is told so.
func (j *judge) refusal() {
	row := j.row("refusal", "a binding that would stall the exchange for all is refused")
	for _, a := range j.told {
		row.Checked++
		if a.told != a.wanted {
			j.violate(row, a.t, 0, "a client that asks for it is told %s, not %s", a.told, a.wanted)
		}
	}
	j.skipUntried(row)
}

// acknowledged: the broker holds no message that every client has.
func (j *judge) acknowledged() {
	row := j.row("acknowledged", "the broker holds no message that every client has")
	for _, b := range j.backlogs {
		if b.Error != "" {
			row.Reason = "the broker's messages could not be counted: " + b.Error
			continue
		}
		row.Checked++
		if b.Messages > 0 {
			j.violate(row, b.t, 0, "every client has all, and the broker holds %d messages", b.Messages)
		}
	}
	if len(j.backlogs) == 0 {
		j.skipUntried(row)
	}
}

// perLink is how many queues and channels a link may have beside those of its workers.
const perLink = 2

// needed: the broker holds no more than the open streams need.
func (j *judge) needed() {
	row := j.row("needed", "while streams are open the broker holds no more than they need")
	for _, h := range j.held {
		row.Checked++
		if most := h.Workers + perLink*(h.Connections+h.Nodes); max(h.Queues, h.Channels) > most {
			j.violate(row, h.t, 0, "%d queues and %d channels are held, and at most %d are needed", h.Queues, h.Channels, most)
		}
	}
	j.skipUntried(row)
}

// orderlyEnd: the proxy ends in order, and nothing of it is left.
func (j *judge) orderlyEnd() {
	row := j.row("orderly-end", "the proxy ends in order when it is told to, and leaves nothing on its broker")
	for _, wrong := range j.ends {
		row.Checked++
		if wrong != "" {
			j.violate(row, j.last, 0, "%s", wrong)
		}
	}
	j.skipUntried(row)
}

func (j *judge) skipUntried(row *Invariant) {
	if row.Checked == 0 {
		row.Verdict, row.Reason = skipped, "nothing in this run shows it"
	}
}

package check

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// What the process may keep of a crowd for a while, in bytes.
const (
	residentSlack = 96 << 20
	heapSlack     = 32 << 20
)

// randomRun judges a run of harms that were drawn.
func (j *judge) randomRun() {
	slices.SortFunc(j.order, func(a, b *stream) int { return cmp.Compare(a.number, b.number) })
	j.codes()
	j.complete()
	j.readiness()
	j.untouched()
	j.served()
	j.healing()
	j.real()
	j.brokerClean()
	j.processClean()
	j.memory()
	j.refusal()
	j.acknowledged()
	j.needed()
	j.orderlyEnd()
	j.reached()
}

// codes: every stream ends with exactly one code, and nothing comes after it.
func (j *judge) codes() {
	row := j.row("one-code", "every stream ends with exactly one code, and nothing comes after it")
	for _, s := range j.order {
		switch {
		case s.ended < 0:
			j.doubt("stream %d has no end in the history", s.number)
			continue
		case s.how == "left":
			continue
		}
		row.Checked++
		switch {
		case s.how != "order":
			j.violate(row, s.ended, s.number, "the answer broke off: %s", s.why)
		case s.errors != 1:
			j.violate(row, s.ended, s.number, "it ended with %d error events", s.errors)
		case !s.retryable && !j.rightlyRefused(s):
			j.violate(row, s.ended, s.number, "%s, for a request that is right", s.code)
		case strings.HasPrefix(s.odd, "one-code: "):
			j.violate(row, s.ended, s.number, "%s", strings.TrimPrefix(s.odd, "one-code: "))
		}
	}
}

// rightlyRefused reports whether a stream was told that its exchange is not there, when a harm had
// taken it away.
func (j *judge) rightlyRefused(s *stream) bool {
	const refused = "BindingRefused"
	return s.code == refused && j.explained(s.client, s.group, s.ended, func(h *harm) bool { return slices.Contains(h.codes, refused) })
}

// complete: what was confirmed is delivered, or the stream ends with a code.
func (j *judge) complete() {
	row := j.row("complete", "what was confirmed is delivered or admitted: in order, none lost unsaid, none twice unless marked")
	for _, s := range j.order {
		last := j.follow(row, s)
		if left, ok := j.phases["left"]; ok && s.ready >= 0 && s.ended >= left && s.how == "left" {
			if n := j.owed(last+1, s); n > 0 {
				j.violate(row, s.ended, s.number, "message %d never came, and the stream was open to the end", n)
			}
		}
	}
}

// follow goes over what a stream received, and returns its largest number.
func (j *judge) follow(row *Invariant, s *stream) (last int) {
	late := map[int]bool{} // a number that was not confirmed may come late, once
	for _, b := range s.batches {
		for i := range b.at {
			n := b.from + i
			row.Checked++
			if _, known := j.published[n]; !known {
				j.violate(row, b.time(i), s.number, "message %d was never published", n)
			}
			if n <= last && !b.redelivered && (n == last || late[n] || j.published[n].confirmed) {
				j.violate(row, b.time(i), s.number, "message %d came after %d", n, last)
			}
			if lost := j.lost(last, n, s); lost > 0 {
				j.violate(row, b.time(i), s.number, "message %d was lost before %d", lost, n)
			}
			if n < last {
				late[n] = true
			}
			last = max(last, n)
		}
	}
	return last
}

// mayMiss reports whether a stream may miss a number without being told.
func (j *judge) mayMiss(n int, s *stream) bool {
	at := j.published[n].t
	return slices.ContainsFunc(j.deaf, func(d deafness) bool {
		return at >= d.from && at < d.until && (j.run.Shared || j.run.Routed || s.opened < d.back)
	})
}

// lost returns a confirmed number that should have come before n; 0 for none.
func (j *judge) lost(last, n int, s *stream) int {
	if last == 0 { // the first: it is owed what was published when it was ready
		if owed := j.owed(1, s); s.ready >= 0 && owed > 0 && owed < n {
			return owed
		}
		return 0
	}
	for between := last + 1; between < n; between++ {
		if j.published[between].confirmed && !j.mayMiss(between, s) {
			return between
		}
	}
	return 0
}

// owed returns the first confirmed number from a number on that was published after
// a stream was ready; 0 for none.
func (j *judge) owed(from int, s *stream) int {
	after := s.ready
	first := sort.Search(j.most, func(i int) bool { return j.published[i+1].t > after }) + 1
	for n := max(first, from); n <= j.most; n++ {
		if p, ok := j.published[n]; ok && p.confirmed && p.t > after && !j.mayMiss(n, s) {
			return n
		}
	}
	return 0
}

// readiness: ping, then ready once, then messages.
func (j *judge) readiness() {
	row := j.row("ready-first", "the first event is a ping, ready comes once, and no message before it")
	for _, s := range j.order {
		if s.readies > 0 {
			row.Checked++
		}
		switch {
		case s.readies > 1:
			j.violate(row, s.ready, s.number, "ready came %d times", s.readies)
		case len(s.batches) > 0 && (s.readies == 0 || s.batches[0].t < s.ready):
			j.violate(row, s.batches[0].t, s.number, "message %d before ready", s.batches[0].from)
		case strings.HasPrefix(s.odd, "ready-first: "):
			j.violate(row, s.ended, s.number, "%s", strings.TrimPrefix(s.odd, "ready-first: "))
		}
	}
}

// untouched: a stream ends only by a harm that could touch it.
func (j *judge) untouched() {
	row := j.row("untouched", "a stream ends only by a harm that could touch it, with a code of that harm")
	for _, s := range j.order {
		if s.how != "order" || s.code == "" {
			continue
		}
		row.Checked++
		by := func(h *harm) bool { return slices.Contains(h.codes, s.code) }
		if !j.explained(s.client, s.group, s.ended, by) && !j.explainedLate(s) {
			j.violate(row, s.ended, s.number, "client %d: %s, which no harm explains", s.client, s.code)
		}
	}
	for _, a := range j.refusals {
		row.Checked++
		if !j.explained(a.client, a.group, a.t, func(h *harm) bool { return a.status == 503 && h.scope == "all" }) {
			j.violate(row, a.t, 0, "client %d was answered with status %d, which no harm explains", a.client, a.status)
		}
	}
}

// served: before and after the harm every client gets messages.
func (j *judge) served() {
	row := j.row("served", "before and after the harm every client gets messages")
	if gone, ok := j.phases["gone"]; ok {
		row.Checked++
		j.violate(row, gone, 0, "the proxy answered no more, and the run was given up")
		return
	}
	for _, span := range [][2]string{{"before", "harm"}, {"after", "left"}} {
		from, begun := j.phases[span[0]]
		to, over := j.phases[span[1]]
		if !begun || !over {
			j.doubt("the history does not tell when %q was over", span[0])
			continue
		}
		row.Checked++
		for client := range j.run.Clients {
			if t, ok := j.nextMessage(client, from); !ok || t > to {
				j.violate(row, to, 0, "client %d got no message between %q and %q", client, span[0], span[1])
			}
		}
	}
}

// nextMessage returns when a client first got a message at or after a time.
func (j *judge) nextMessage(client int, from float64) (float64, bool) {
	all := j.batchesOf(client)
	i := sort.Search(len(all), func(i int) bool { return all[i].time(len(all[i].at)-1) >= from })
	if i == len(all) {
		return 0, false
	}
	k := sort.Search(len(all[i].at), func(k int) bool { return all[i].time(k) >= from })
	return all[i].time(k), true
}

// batchesOf returns all that a client got, on all its streams, by time.
func (j *judge) batchesOf(client int) []batch {
	if j.byClient == nil {
		j.byClient = map[int][]batch{}
		for _, s := range j.order {
			j.byClient[s.client] = append(j.byClient[s.client], s.batches...)
		}
		for _, list := range j.byClient {
			slices.SortStableFunc(list, func(a, b batch) int { return cmp.Compare(a.t, b.t) })
		}
	}
	return j.byClient[client]
}

// healing: after each harm all that it could touch get messages again.
func (j *judge) healing() {
	row := j.row("healing", "after each harm all that it could touch get messages again within the patience")
	groups := max(1, j.groups())
	for _, h := range j.harmOrder {
		if h.seen < 0 {
			continue
		}
		row.Checked++
		if h.healed < 0 {
			j.violate(row, h.seen, 0, "harm %d, %s: the run never saw it healed", h.number, h.name)
			continue
		}
		for client := range j.run.Clients {
			if !h.touches(client, client%groups) {
				continue
			}
			if t, ok := j.nextMessage(client, h.seen); !ok || t > h.seen+j.run.Patience {
				j.violate(row, h.seen, 0, "harm %d, %s: client %d got no message within %g s", h.number, h.name, client, j.run.Patience)
			}
		}
	}
}

// groups is how many groups of clients there are.
func (j *judge) groups() (count int) {
	for _, s := range j.order {
		count = max(count, s.group+1)
	}
	return count
}

// real: no more harms are claimed than the proxy's own counters admit.
func (j *judge) real() {
	row := j.row("real-harm", "no more harms are claimed than the proxy's own counters admit")
	if len(j.samples) < 2 {
		j.doubt("real-harm: there are no samples of the proxy's counters")
		return
	}
	first, last := j.samples[0], j.samples[len(j.samples)-1]
	row.Checked++
	crashes := 0
	for _, h := range j.harmOrder {
		if h.seen >= 0 && h.undone >= 0 {
			j.violate(row, h.undone, 0, "harm %d, %s, is both seen and not done", h.number, h.name)
		}
		if h.seen >= 0 && strings.HasPrefix(h.name, "crash ") {
			crashes++
		}
	}
	if admitted := last.Failures - first.Failures; float64(crashes) > admitted {
		j.violate(row, last.t, 0, "%d crashes are claimed, and the proxy has counted %g failures of actors", crashes, admitted)
	}
}

// reached: every kind of harm was seen, or the run proves nothing.
func (j *judge) reached() {
	seen := map[string]bool{}
	for _, h := range j.harmOrder {
		seen[h.name] = seen[h.name] || h.seen >= 0
	}
	if len(j.kinds) == 0 {
		j.doubt("no harm was planned")
	}
	for _, kind := range j.kinds {
		if !seen[kind] {
			j.doubt("%s was never seen", kind)
		}
	}
	for _, what := range j.skipped {
		if strings.HasPrefix(what, "crash of actors: ") {
			j.doubt("skipped: %s", what)
		}
	}
}

package check

import "slices"

// Which harm explains the end of a stream.

// A reader and a looker are scheduled when they are: so many seconds after its
// healing a harm still explains the end of a stream.
const grace = 2

// explained reports whether a harm that covers it explains what a client met at a time.
func (j *judge) explained(client, group int, t float64, covers func(*harm) bool) bool {
	return slices.ContainsFunc(j.harmOrder, func(h *harm) bool {
		over := h.over()
		return t >= h.asked && (over < 0 || t < over+grace) && h.touches(client, group) && covers(h)
	})
}

// explainedLate reports whether a stream may end so by what the proxy does after a harm.
func (j *judge) explainedLate(s *stream) bool {
	return slices.ContainsFunc(j.harmOrder, func(h *harm) bool {
		return h.touches(s.client, s.group) && slices.Contains(h.late.Codes, s.code) && s.ended >= h.asked+h.late.After &&
			s.ended < h.lateUntil(s.ended, j.relinked)
	})
}

// lateUntil returns until when a harm explains its late codes, as it looks at a time; 0 where it has
// changed none of the proxy's links. What is under way explains them until it is over.
func (h *harm) lateUntil(now float64, relinked []float64) (until float64) {
	last := h.over()
	if last < 0 {
		last = now
	}
	for _, t := range relinked {
		if t >= h.asked && t <= now && t < last+h.late.For {
			last = max(last, t)
			until = last + h.late.For
		}
	}
	return until
}

// over is when a harm was healed or found not to be done; -1: it is under way.
func (h *harm) over() float64 {
	if h.undone >= 0 {
		return h.undone
	}
	return h.healed
}

// touches reports whether a harm could touch a client's stream; -1 in a harm is a
// client that the run does not know.
func (h *harm) touches(client, group int) bool {
	switch h.scope {
	case "all":
		return true
	case "group":
		return h.group < 0 || h.group == group
	case "stream":
		return h.client < 0 || h.client == client
	}
	return false
}

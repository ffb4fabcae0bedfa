package actors

import "time"

// lag decides for how long slow readers of one queue hold the broker back. Where more than half of
// them lag, it is not they who are slow but the machine: then the broker keeps the messages. That
// ends when the number of those that lag has not fallen for backpressurePatience: readers that have
// stopped would starve the others.
type lag struct {
	lowest   int       // of those that lag, since the broker is held back; 0: it is not
	fallenAt time.Time // when lowest fell last
}

// backpressurePatience is how long the number of lagging streams may stay as it is.
const backpressurePatience = time.Second

// holdsBack reports whether the broker is to keep messages now, when so many of the streams lag.
func (l *lag) holdsBack(lagging, streams int) bool {
	if 2*lagging <= streams {
		l.lowest = 0
		return false
	}
	if l.lowest == 0 || lagging < l.lowest {
		l.lowest, l.fallenAt = lagging, time.Now()
	}
	return time.Since(l.fallenAt) < backpressurePatience
}

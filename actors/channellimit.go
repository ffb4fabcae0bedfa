package actors

import (
	"math"
	"time"
)

// channelLimit is what is known of how many channels the broker allows this service in all, over
// all links, those included that serve no stream. A broker that has had enough (a user's
// max-channels, 530) ends the link on which the next channel is opened, with every stream on it. So before more channels are open than ever were,
// a scout tries how many more are allowed, on a link without streams.
//
// Trying costs a third of the connects per second, so a crowd of newcomers does not wait for it: a
// limit that a crowd meets may end one link, once. From then on every channel is tried.
//
// It is a value of the pool: it decides and does nothing.
type channelLimit struct {
	verified int       // so many channels have been open at once, not long ago
	at       time.Time // when that was seen last
	limit    int       // so many are allowed; 0: none is known
	until    time.Time // when limit is doubted: an operator may have raised it
	strict   bool      // a limit was met: nothing is opened untried
	blind    time.Time // until when no scout can be sent: more channels are opened untried
	low      int       // the fewest channels that were open since the scout has begun; -1: it has not
	moved    bool      // others were opened or closed since then, so that what is left is not known
	repeats  int       // of scouts, for that reason, one after the other
}

const (
	// A scout opens half of what is verified, within these bounds. For a moment these channels are
	// taken from others that share the user.
	fewestScoutChannels = 16
	mostScoutChannels   = 128
	// triedChannels is how many channels are tried even for a crowd.
	triedChannels = 32
	// triedForSpare is how many channels are tried where one is wanted that serves no stream.
	triedForSpare = 2
	// limitTimeout is how long a limit counts, and how long it counts that none was met: an
	// operator may change it.
	limitTimeout = 30 * time.Second
)

// newChannelLimit returns that of a broker on which nothing was opened. The first stream has no
// neighbour that it could harm.
func newChannelLimit() channelLimit { return channelLimit{verified: 1, low: -1} }

// noChannelLimit returns that of a broker that has none.
func noChannelLimit() channelLimit { return channelLimit{verified: math.MaxInt, low: -1} }

// check decides whether one more channel may be opened where so many are granted. A crowd means
// that many are being opened at once.
func (c *channelLimit) check(channels int, crowd bool, now time.Time) outcome {
	c.forgetOld(channels, now)
	switch {
	case c.strict && c.scouting(): // it may have what is left
		return unverified
	case channels < c.verified, now.Before(c.blind):
		return granted
	case c.limit > 0 && now.Before(c.until):
		return limited
	case crowd && !c.strict && channels >= triedChannels:
		return granted
	}
	return unverified
}

// forgetOld doubts that there is no limit, a while after it was seen: so many channels are open.
func (c *channelLimit) forgetOld(channels int, now time.Time) {
	if c.limit == 0 && c.verified != math.MaxInt && now.Sub(c.at) > limitTimeout {
		c.verified, c.at = max(1, channels), now
	}
}

// spare decides whether a channel that serves no stream may be opened where so many are granted in
// all. It must take no stream's place: nothing is opened untried, and where a limit is known half of
// it is left to streams.
func (c *channelLimit) spare(channels int, now time.Time) outcome {
	c.forgetOld(channels, now)
	switch {
	case c.limit == 0 && channels < c.verified, channels < c.limit/2:
		return granted
	case c.limit > 0, now.Before(c.blind): // to doubt a limit is for streams: it takes what is left of it
		return limited
	}
	return unverified
}

// scarce reports whether channels that serve no stream are to be given back where so many are
// granted in all.
func (c *channelLimit) scarce(channels int) bool {
	return c.limit > 0 && channels >= c.limit
}

// short reports whether a scout should be sent before the next streams have to wait for it.
func (c *channelLimit) short(leases int, now time.Time) bool {
	return leases >= fewestScoutChannels/2 && !c.scouting() && c.limit == 0 && !now.Before(c.blind) && leases > c.verified-fewestScoutChannels/2
}

// begin is called when a scout is sent while so many channels are open. It returns how many
// channels the scout is to open.
func (c *channelLimit) begin(channels int) (n int) {
	c.low, c.moved = channels, false
	return min(max(c.verified/2, fewestScoutChannels), mostScoutChannels)
}

// beginSpare is begin where a channel is wanted that serves no stream, while so many are open, and
// so many granted. No more is tried than it needs, but where a crowd comes.
func (c *channelLimit) beginSpare(channels, granted int, crowd bool) (n int) {
	n = c.begin(channels)
	few := min(granted-channels+triedForSpare, mostScoutChannels)
	if !crowd {
		return few
	}
	return max(n, few)
}

// scouting reports whether a scout is under way.
func (c *channelLimit) scouting() bool { return c.low >= 0 }

// seen notes that so many channels of streams are open.
func (c *channelLimit) seen(channels int, now time.Time) {
	c.disturb()
	if channels >= c.verified {
		c.verified, c.at = channels, now
	}
	if c.limit > 0 {
		c.limit = max(c.limit, channels)
	}
}

// dropped notes that only so many channels of streams are open.
func (c *channelLimit) dropped(channels int) {
	c.disturb()
	if c.scouting() {
		c.low = min(c.low, channels)
	}
}

// disturb notes that a channel of ours was opened or closed.
func (c *channelLimit) disturb() { c.moved = true }

// repeat reports whether a scout that was refused a channel is to be sent again: what it has counted
// may be one too many, or too few. Where channels come and go all the time, the last count stands.
func (c *channelLimit) repeat() bool {
	const most = 3
	if !c.moved || c.repeats == most {
		c.repeats = 0
		return false
	}
	c.repeats++
	c.low, c.strict = -1, true
	return true
}

// allowed is called when the scout has opened n channels, none of which was refused.
func (c *channelLimit) allowed(n int, now time.Time) {
	if channels := c.low + n; channels >= c.verified {
		c.verified, c.at = channels, now
	}
	c.limit, c.low = 0, -1
}

// reached is called when the broker has refused a channel of a scout while so many were open, those
// of the scout included.
func (c *channelLimit) reached(channels int, now time.Time) {
	c.limit = max(1, channels)
	c.verified = c.limit
	c.until = now.Add(limitTimeout)
	c.strict, c.blind, c.low = true, time.Time{}, -1
}

// met is called when the broker has refused a channel on a link with streams: how many it allows is
// not known.
func (c *channelLimit) met() { *c = channelLimit{verified: 1, strict: true, low: -1} }

// unknowable is called when no scout could be sent. Streams are served without for a while, unless
// a limit is known.
func (c *channelLimit) unknowable(now time.Time) {
	c.low = -1
	if c.limit > 0 {
		c.until = now.Add(limitTimeout)
		return
	}
	c.blind = now.Add(limitTimeout)
}

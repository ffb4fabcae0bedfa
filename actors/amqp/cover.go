package amqp

import "slices"

// Covers reports whether b asks for every message that other asks for: whether both are of the same
// exchange, and every routing key that other's pattern matches, b's matches too. It is exact, and
// meant for hosts that grant bindings: who may bind a.# may bind a.*.c, and not #.c. A binding that
// Validate refuses covers none, and none covers it.
//
// It holds for topic exchanges, and for direct ones, which compare the pattern with the key as text.
// Exchanges of other kinds, such as fanout, do not look at the pattern: who may bind one of them may
// read all of it.
//
// The time that it takes is bounded by the square of the patterns' number of words.
func (b Binding) Covers(other Binding) bool {
	if b.Exchange != other.Exchange || b.Validate() != nil || other.Validate() != nil {
		return false
	}
	return newCover(b.Normal().Pattern).contains(other.Normal().Pattern)
}

// cover follows texts through a pattern: from its start, or back from its end.
//
// Whether another pattern's keys all match is asked of few of them. A word * of the other pattern
// stands for a word that this one does not have, since a key that matches with that one matches with
// any; a word # stands for n of those, and for all n beyond the pattern's words at once, since one of
// so many is taken by a # of this pattern, which takes another one too. What is before the first #
// and what follows the last are followed by themselves: a key matches if the two meet.
//
//	other   a . b . # . c . # . d       at most two words #
//	        ──────▶ n ──────▶ n ◀────
type cover struct {
	words    int
	hashes   places            // before each word #
	stars    places            // before each word *
	literals map[string]places // before each other word
}

func newCover(pattern string) *cover {
	c := &cover{literals: map[string]places{}}
	for word := range topicWords(pattern) {
		switch at := place(c.words); word {
		case "#":
			c.hashes = c.hashes.or(at)
		case "*":
			c.stars = c.stars.or(at)
		default:
			c.literals[word] = c.literals[word].or(at)
		}
		c.words++
	}
	return c
}

// contains reports whether c matches every key that a normal pattern of at most two words #
// matches.
func (c *cover) contains(pattern string) bool {
	parts := betweenHashes(pattern)
	last := len(parts) - 1
	heads := []places{c.forth(c.skip(place(0)), parts[0])}
	tails := []places{c.skipBack(place(c.words))}
	if last > 0 {
		heads = c.repeat(heads[0], c.step)
		tails[0] = c.back(tails[0], parts[last])
	}
	if last > 1 {
		for i, head := range heads {
			heads[i] = c.forth(head, parts[1])
		}
		tails = c.repeat(tails[0], c.stepBack)
	}
	noKey := last > 0 && slices.Equal(slices.Concat(parts...), []string{""}) // one word that is empty: no key has that
	for i, head := range heads {
		for j, tail := range tails {
			if head.and(tail).none() && !(noKey && i == 0 && j == 0) {
				return false
			}
		}
	}
	return true
}

// betweenHashes returns the words before, between and after the words # of a pattern.
func betweenHashes(pattern string) [][]string {
	parts := [][]string{nil}
	for word := range topicWords(pattern) {
		if word == "#" {
			parts = append(parts, nil)
			continue
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], word)
	}
	return parts
}

// accepting returns the places whose word takes one of another pattern's, but for the words #.
func (c *cover) accepting(word string) places {
	if word == "*" {
		return c.stars
	}
	return c.stars.or(c.literals[word])
}

// forth returns the places that are reached from others with some words.
func (c *cover) forth(from places, words []string) places {
	for _, word := range words {
		from = c.step(from, c.accepting(word))
	}
	return from
}

// back returns the places from which some words lead to others.
func (c *cover) back(to places, words []string) places {
	for _, word := range slices.Backward(words) {
		to = c.stepBack(to, c.accepting(word))
	}
	return to
}

// repeat returns the places after no, one, two, … words that the pattern does not have, as far as
// the next differ; those after no word and after one in any case.
func (c *cover) repeat(at places, step func(places, places) places) []places {
	all := []places{at}
	for range c.words + 1 {
		next := step(at, c.stars)
		if next == at && len(all) > 1 {
			break
		}
		at = next
		all = append(all, at)
	}
	return all
}

func (c *cover) step(from, accepting places) places {
	return c.skip(from.and(c.hashes).or(from.and(accepting).up()))
}

func (c *cover) stepBack(to, accepting places) places {
	return c.skipBack(to.and(c.hashes).or(to.down().and(accepting)))
}

// skip adds the places behind a # that takes no word; in a normal pattern no two of them follow each
// other.
func (c *cover) skip(from places) places { return from.or(from.and(c.hashes).up()) }

func (c *cover) skipBack(to places) places { return to.or(to.down().and(c.hashes)) }

// places is a set of places in a pattern: bit i is the one before word i. A pattern has at most
// MaxNameBytes+1 words, all of them empty.
type places [(MaxNameBytes+2)/64 + 1]uint64

func place(i int) (p places) {
	p[i/64] = 1 << (i % 64)
	return p
}

func (p places) none() bool { return p == places{} }

func (p places) and(q places) places {
	for i := range p {
		p[i] &= q[i]
	}
	return p
}

func (p places) or(q places) places {
	for i := range p {
		p[i] |= q[i]
	}
	return p
}

// up returns each place's next.
func (p places) up() (next places) {
	for i := range p {
		next[i] = p[i] << 1
		if i > 0 {
			next[i] |= p[i-1] >> 63
		}
	}
	return next
}

// down returns each place's previous.
func (p places) down() (previous places) {
	for i := range p {
		previous[i] = p[i] >> 1
		if i+1 < len(p) {
			previous[i] |= p[i+1] << 63
		}
	}
	return previous
}

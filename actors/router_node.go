package actors

// routerNode stands for the beginning of a pattern: the words from the
// exchange's node to here.
type routerNode struct {
	parent  *routerNode // nil: the node of an exchange
	word    string      // the last of them; of a node without parent, the exchange
	only    *routerNode // the next word, where there is one but for * and #: most nodes need no map
	words   map[string]*routerNode
	any     *routerNode // the next word is *
	rest    *routerNode // the next word is #
	hash    bool        // its own word is #
	members []member    // streams with the pattern that ends here
	reached uint64
	message uint64 // the last whose members were collected
}

func (n *routerNode) exchange() string {
	for n.parent != nil {
		n = n.parent
	}
	return n.word
}

// leaf reports whether no pattern goes on from here.
func (n *routerNode) leaf() bool {
	return n.only == nil && n.words == nil && n.any == nil && n.rest == nil
}

// literal returns the node behind a word of a key, or nil. In a key * and # are
// words like others, which only wildcards take.
func (n *routerNode) literal(word string) *routerNode {
	if n.words != nil {
		return n.words[word]
	}
	if n.only != nil && n.only.word == word {
		return n.only
	}
	return nil
}

// grow returns the node behind a word of a pattern, which it makes if need be.
func (n *routerNode) grow(word string) *routerNode {
	switch word {
	case "*":
		if n.any == nil {
			n.any = &routerNode{parent: n, word: word}
		}
		return n.any
	case "#":
		if n.rest == nil {
			n.rest = &routerNode{parent: n, word: word, hash: true}
		}
		return n.rest
	}
	c := n.literal(word)
	if c == nil {
		c = &routerNode{parent: n, word: word}
		n.add(c)
	}
	return c
}

func (n *routerNode) add(c *routerNode) {
	switch {
	case n.words != nil:
		n.words[c.word] = c
	case n.only != nil:
		n.words = map[string]*routerNode{n.only.word: n.only, c.word: c}
		n.only = nil
	default:
		n.only = c
	}
}

// cut removes a child. A map that holds nothing more goes: maps never shrink.
func (n *routerNode) cut(c *routerNode) {
	switch c {
	case n.any:
		n.any = nil
	case n.rest:
		n.rest = nil
	case n.only:
		n.only = nil
	default:
		if delete(n.words, c.word); len(n.words) == 0 {
			n.words = nil
		}
	}
}

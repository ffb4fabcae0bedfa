package config

import (
	"fmt"
	"strings"
)

// suggest returns "; did you mean X?" with the known word that is most like a given one; "" if none
// is like it. What all words start with may be left out of the comparison, as it makes all alike.
func suggest(given string, known []string, prefixes ...string) string {
	bare := func(word string) string {
		for _, prefix := range prefixes {
			word = strings.TrimPrefix(word, prefix)
		}
		return word
	}
	full := map[string]string{}
	var words []string
	for _, word := range known {
		full[bare(word)] = word
		words = append(words, bare(word))
	}
	if word := Nearest(bare(given), words); word != "" {
		return fmt.Sprintf("; did you mean %s?", full[word])
	}
	return ""
}

// Nearest returns the known word that a person most probably meant by a given one: the one that the
// fewest typing errors lead to. It returns "" if all are too different.
func Nearest(given string, known []string) string {
	best, fewest := "", 1+max(1, len(given)/3)
	for _, word := range known {
		if n := typingErrors(given, word); n < fewest {
			best, fewest = word, n
		}
	}
	return best
}

// typingErrors counts the characters to insert, delete, replace or swap with their neighbour that
// lead from one word to another (the optimal string alignment distance, in bytes).
func typingErrors(from, to string) int {
	before, last, row := make([]int, len(to)+1), make([]int, len(to)+1), make([]int, len(to)+1)
	for j := range row {
		last[j] = j
	}
	for i := range len(from) {
		row[0] = i + 1
		for j := range len(to) {
			replaced := last[j]
			if from[i] != to[j] {
				replaced++
			}
			row[j+1] = min(replaced, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && from[i] == to[j-1] && from[i-1] == to[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(to)]
}

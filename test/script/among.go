package script

import (
	"fmt"
	"slices"
	"strings"
)

// among names the words that are known, and first the one that was probably meant.
func among(given, known []string) string {
	slices.Sort(known)
	all := "there are " + strings.Join(known, ", ")
	if len(given) == 1 {
		if meant := Nearest(given[0], known); meant != "" {
			return fmt.Sprintf("did you mean %s? %s", meant, all)
		}
	}
	return all
}

// Nearest returns the one of the known words that a word was probably meant to be,
// "" where none is near.
func Nearest(word string, known []string) string {
	nearest, best := "", 1+len(word)/3
	for _, k := range known {
		if d := distance(word, k); d < best || d == best && nearest == "" {
			nearest, best = k, d
		}
	}
	return nearest
}

// distance counts the letters to add, to leave out, to replace or to exchange with
// their neighbour, to make one word of another.
func distance(a, b string) int {
	var two, row []int // the rows before
	for j := range len(b) + 1 {
		row = append(row, j)
	}
	for i := range len(a) {
		next := []int{i + 1}
		for j := range len(b) {
			replaced := row[j]
			if a[i] != b[j] {
				replaced++
			}
			d := min(row[j+1]+1, next[j]+1, replaced)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, two[j-1]+1)
			}
			next = append(next, d)
		}
		two, row = row, next
	}
	return row[len(b)]
}

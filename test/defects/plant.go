package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// planted returns a file's text with the defect in it. It fails where the text to
// replace does not stand there exactly once: the product has moved on, and the defect
// must follow it.
func (d defect) planted(text string) (string, error) {
	if n := strings.Count(text, d.from); n != 1 {
		return "", fmt.Errorf("%s: the text to replace stands %d times in %s", d.name, n, d.file)
	}
	return strings.Replace(text, d.from, d.to, 1), nil
}

// plant changes the file below root, and returns what undoes it.
func (d defect) plant(root string) (undo func() error, err error) {
	file := filepath.Join(root, d.file)
	sound, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	text, err := d.planted(string(sound))
	if err != nil {
		return nil, err
	}
	return func() error { return os.WriteFile(file, sound, 0o644) }, os.WriteFile(file, []byte(text), 0o644)
}

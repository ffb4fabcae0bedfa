package chaos_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/taskcluster/events-proxy/test/chaos"
)

// A proxy that is named as ./events is found where the user is, though it is started elsewhere.
func TestAProgramIsNamedFromWhereTheUserIs(t *testing.T) {
	t.Chdir(t.TempDir())
	must(t, os.WriteFile("events", []byte("#!/bin/sh\n"), 0o700))
	here, err := os.Getwd()
	must(t, err)
	binary, err := chaos.Program(t.Context(), t.TempDir(), "./events")
	must(t, err)
	if want := filepath.Join(here, "events"); binary != want {
		t.Errorf("the program is %s, not %s", binary, want)
	}
	if _, err := chaos.Program(t.Context(), t.TempDir(), "./none"); err == nil {
		t.Error("a program that is not there is taken")
	}
}

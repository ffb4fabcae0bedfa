package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// Scripts act on the status and on JSON, people read lines; a set-up that works has neither red nor
// silence about what was left out.
func TestDoctorsStatusAndJSON(t *testing.T) {
	s := newService(t, nil, "e")
	sound := execute(t, nil, "doctor", "--watch=0", "--binding", "e:#", s.url)
	if sound.status != succeeded || !strings.Contains(sound.stdout, "0 failed") || !strings.Contains(sound.stdout, "PASS  url.ready") || !strings.Contains(sound.stdout, "not watched") {
		t.Errorf("%+v", sound)
	}
	broken := execute(t, []string{"PULSE_URL=" + noBroker}, "doctor", "--json")
	var report struct {
		Sound  bool
		Checks []struct{ Check, Verdict, Cause, Mend string }
	}
	if err := json.Unmarshal([]byte(broken.stdout), &report); err != nil {
		t.Fatal(err)
	}
	if broken.status != failed || report.Sound || report.Checks[3].Check != "broker.tcp" || report.Checks[3].Verdict != "FAIL" || report.Checks[3].Mend == "" {
		t.Errorf("%+v", broken)
	}
	if strings.Contains(broken.stdout+broken.stderr, "hunter2") {
		t.Errorf("the password is shown: %+v", broken)
	}
}

// Wrong settings are what a doctor is asked about; a wrong command line is not.
func TestDoctorNamesWrongSettings(t *testing.T) {
	for _, row := range []struct {
		status int
		says   string
		env    []string
		args   []string
	}{
		{failed, "FAIL  settings", []string{"EVENTS_STRAEMS=5"}, nil},
		{failed, "did you mean EVENTS_STREAMS?", []string{"EVENTS_STRAEMS=5"}, nil},
		{failed, "they name no broker", nil, nil},
		{failed, "nosuch.yml", nil, []string{"--config", "nosuch.yml"}},
		{misused, "unknown flag", nil, []string{"--wacht=3"}},
		{misused, "more than one URL", nil, []string{"http://a", "http://b"}},
		{misused, "no such file", nil, []string{"--token-file", "nosuch"}},
		{misused, "exchange is empty", nil, []string{"--binding", ":#"}},
		{succeeded, "Examples:", nil, []string{"--help"}},
	} {
		r := execute(t, row.env, append([]string{"doctor"}, row.args...)...)
		if r.status != row.status || !strings.Contains(r.stdout+r.stderr, row.says) {
			t.Errorf("%v %v: %+v", row.env, row.args, r)
		}
	}
}

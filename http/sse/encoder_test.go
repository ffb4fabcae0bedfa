package sse

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// frames are the frames of the events proxy's contract, one of each event.
var frames = []struct{ name, data string }{
	{"ping", `{"time":"2026-11-20T20:24:56.123Z"}`},
	{"ready", `{}`},
	{"message", `{"payload":{"status":{}},"exchange":"exchange/e","routingKey":"primary.x.y","redelivered":false,"routes":["project.foo"]}`},
	{"error", `{"code":"SlowConsumer","message":"Too slow","retryable":true,"retryAfterMs":1000}`},
}

// The bytes on the wire are a promise to clients: a change shows as a diff of
// testdata.
func TestFramesAreTheBytesOfTheContract(t *testing.T) {
	for _, f := range frames {
		t.Run(f.name, func(t *testing.T) {
			got := Encoder{ID: MustID("-")}.Append(nil, MustName(f.name), MustData(f.data))
			golden := filepath.Join("testdata", f.name+".golden")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
		})
	}
}

func TestAFrameWithoutNameAndIDIsDataAlone(t *testing.T) {
	if got := string(Encoder{}.Append(nil, Name{}, MustData("x"))); got != "data: x\n\n" {
		t.Errorf("got %q", got)
	}
}

func TestFrameSizeIsWhatAppendAppends(t *testing.T) {
	for _, e := range []Encoder{{}, {ID: MustID("-")}} {
		for _, name := range []Name{{}, MustName("message")} {
			for _, data := range []Data{{}, MustData("{}")} {
				if got, want := e.FrameSize(name, data), len(e.Append(nil, name, data)); got != want {
					t.Errorf("FrameSize(%q, %q) with id %q is %d, the frame has %d bytes", name, data.Bytes(), e.ID, got, want)
				}
			}
		}
	}
}

// A publisher's text must never become a field or an event of its own.
func TestNoLineBreakGetsIntoAFrame(t *testing.T) {
	for _, evil := range []string{"a\nb", "a\rb", "\r\n", "x\n\nevent: error"} {
		if _, err := NewName(evil); err == nil {
			t.Errorf("NewName(%q) was accepted", evil)
		}
		if _, err := NewID(evil); err == nil {
			t.Errorf("NewID(%q) was accepted", evil)
		}
		if _, err := NewData([]byte(evil)); err == nil {
			t.Errorf("NewData(%q) was accepted", evil)
		}
	}
}

func TestAnIDThatClientsWouldIgnoreIsRefused(t *testing.T) {
	for _, s := range []string{"", "a\x00b"} {
		if _, err := NewID(s); err == nil {
			t.Errorf("NewID(%q) was accepted", s)
		}
	}
}

func TestMustPanicsWithTheReason(t *testing.T) {
	defer func() {
		if err, _ := recover().(error); err == nil || !strings.Contains(err.Error(), "line break at byte 1") {
			t.Errorf("panicked with %v", err)
		}
	}()
	MustName("a\nb")
}

// A writer appends thousands of frames a second to one buffer.
func TestAppendDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 4096)
	e, name := Encoder{ID: MustID("-")}, MustName("message")
	payload := []byte(strings.Repeat("x", 1024))
	allocs := testing.AllocsPerRun(100, func() {
		data, err := NewData(payload)
		if err != nil {
			t.Fatal(err)
		}
		buf = e.Append(buf[:0], name, data)
	})
	if allocs != 0 {
		t.Errorf("%v allocations per frame", allocs)
	}
}

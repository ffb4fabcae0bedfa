package httpapi

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

func message(json string) *actors.Message { return &actors.Message{JSON: []byte(json)} }

// The bytes of the contract of the events.
func TestEveryEventHasItsFrame(t *testing.T) {
	zone := time.FixedZone("", 3600)
	for _, c := range []struct {
		event actors.Event
		want  string
	}{
		{actors.Ping{Time: time.Date(2026, 11, 20, 21, 24, 56, 123456789, zone)}, "event: ping\ndata: {\"time\":\"2026-11-20T20:24:56.123Z\"}\nid: -\n\n"},
		{actors.Ready{}, "event: ready\ndata: {}\nid: -\n\n"},
		{message(`{"payload":1}`), "event: message\ndata: {\"payload\":1}\nid: -\n\n"},
		{&actors.Error{Code: actors.BindingRefused, Reason: `The exchange "<e>" does not exist`}, "event: error\ndata: {\"code\":\"BindingRefused\",\"message\":\"The exchange \\\"<e>\\\" does not exist\",\"retryable\":false}\nid: -\n\n"},
		{&actors.Error{Code: actors.BrokerLost, Reason: "a\nb", Cause: errTooSlow}, "event: error\ndata: {\"code\":\"BrokerLost\",\"message\":\"a\\nb\",\"retryable\":true,\"retryAfterMs\":1000}\nid: -\n\n"},
		{&actors.Error{Code: actors.ServerShutdown, Reason: "x", Together: 501}, "event: error\ndata: {\"code\":\"ServerShutdown\",\"message\":\"x\",\"retryable\":true,\"retryAfterMs\":2000}\nid: -\n\n"},
	} {
		b := borrowBatch()
		if err := b.add(c.event); err != nil {
			t.Fatal(err)
		}
		if got := string(b.bytes(0, b.size())); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
		b.giveBack()
	}
}

// bytes returns what the batch holds between two places.
func (b *batch) bytes(from, to int) []byte { return slices.Concat(b.between(from, to)...) }

func TestAnEventOfMoreThanOneLineIsNoFrame(t *testing.T) {
	b := borrowBatch()
	defer b.giveBack()
	for _, json := range []string{"{\n}", "{\r}", long(largeData+1) + "\n"} {
		if err := b.add(message(json)); err == nil {
			t.Errorf("%.10q was accepted", json)
		}
	}
	if b.size() != 0 {
		t.Errorf("%d bytes of it are in the batch", b.size())
	}
}

// Copying 4 KiB is cheap, copying a megabyte for every client is not.
func TestLargeDataIsNotCopied(t *testing.T) {
	large := message(`"` + long(1<<20) + `"`)
	b := borrowBatch()
	defer b.giveBack()
	for _, event := range []actors.Event{actors.Ready{}, large} {
		if err := b.add(event); err != nil {
			t.Fatal(err)
		}
	}
	parts := b.between(0, b.size())
	if len(parts) != 3 || &parts[1][0] != &large.JSON[0] || !b.full() {
		t.Errorf("%d parts, full %v", len(parts), b.full())
	}
	want := "event: ready\ndata: {}\nid: -\n\nevent: message\ndata: " + string(large.JSON) + "\nid: -\n\n"
	if got := string(b.bytes(0, b.size())); got != want {
		t.Error("the parts are not the two frames")
	}
}

// Wherever a write stops, what is left of the cut frame ends on a frame's end,
// and is nothing between two frames.
func TestACutFrameCanBeCompletedFromAnywhere(t *testing.T) {
	for name, last := range map[string]string{"small": "{}", "large": `"` + long(largeData) + `"`} {
		for _, head := range []string{"", "HTTP/1.1 200 OK\r\n\r\n"} {
			b := borrowBatch()
			if head != "" {
				b.head([]byte(head))
			}
			for _, event := range []actors.Event{actors.Ready{}, message("1"), message(last)} {
				if err := b.add(event); err != nil {
					t.Fatal(err)
				}
			}
			whole := bytes.Clone(b.bytes(0, b.size()))
			for at := range b.size() + 1 {
				told := string(whole[:at]) + string(b.restOfFrame(at))
				if !strings.HasPrefix(string(whole), told) || !endsFrame(told, head) {
					t.Fatalf("%s, cut at %d of %d: %.200q", name, at, len(whole), told)
				}
				if completed := len(told) > at; completed && at > 0 && endsFrame(string(whole[:at]), head) {
					t.Fatalf("%s, cut at %d, between two frames: %d bytes more", name, at, len(told)-at)
				}
			}
			b.giveBack()
		}
	}
}

func endsFrame(stream, head string) bool {
	return stream == head || strings.HasSuffix(stream, "\nid: -\n\n")
}

func TestABatchKeepsNoMessageWhenItIsGivenBack(t *testing.T) {
	b := borrowBatch()
	b.events = append(b.events, message("1"), message("2"))
	events := b.events
	if err := b.add(message(`"` + long(largeData) + `"`)); err != nil {
		t.Fatal(err)
	}
	b.giveBack()
	if events[0] != nil || events[1] != nil || b.large != nil {
		t.Error("the pool holds messages")
	}
}

// The fan-out's inner loop.
func TestGatheringMessagesDoesNotAllocate(t *testing.T) {
	b := borrowBatch()
	defer b.giveBack()
	events := []actors.Event{message(`{"payload":"` + long(256) + `"}`), message(`{"payload":"` + long(largeData) + `"}`), actors.Ready{}}
	allocs := testing.AllocsPerRun(100, func() {
		b.reset()
		for _, event := range events {
			if err := b.add(event); err != nil {
				t.Fatal(err)
			}
		}
		b.between(0, b.size())
	})
	if allocs != 0 {
		t.Errorf("%v allocations for three frames", allocs)
	}
}

func BenchmarkGather(b *testing.B) {
	for name, size := range map[string]int{"256B": 256, "4KiB": 4 << 10, "64KiB": 64 << 10} {
		b.Run(name, func(b *testing.B) {
			event := message(`{"payload":"` + long(size) + `"}`)
			batch := borrowBatch()
			defer batch.giveBack()
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if batch.full() {
					batch.reset()
				}
				if err := batch.add(event); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package main

import (
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A process that stood still, in a stopped container or a suspended machine, finds all its streams
// idle for longer than its watchdog allows. Nothing was wrong with them: they go on.
func TestStreamsOutliveAProcessThatStoodStill(t *testing.T) {
	events := start(t, nil, "demo", "--port=0", "--ping-period=50ms")
	link := events.says(`curl -N '(http[^']+)'`)[1]
	const streams = 10
	var answers []*http.Response
	for range streams {
		answers = append(answers, events.open(link))
	}
	resumed := make(chan struct{})
	var reading sync.WaitGroup
	for i, answer := range answers {
		reading.Go(func() {
			messages := 0
			for f := range frames(answer.Body) {
				if f.name == "error" {
					t.Errorf("stream %d ended: %s", i, f.data)
					return
				}
				select {
				case <-resumed:
					if f.name == "message" {
						messages++
					}
				default:
				}
				if messages == 3 {
					return
				}
			}
			t.Errorf("stream %d was broken off after %d messages", i, messages)
		})
	}
	events.signal(syscall.SIGSTOP)
	<-time.After(3 * time.Second) // the watchdog cuts a stream that was silent for 1.3 s
	close(resumed)
	events.signal(syscall.SIGCONT)
	reading.Wait()
}

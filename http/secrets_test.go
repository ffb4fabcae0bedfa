package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// What a host keeps to itself is found nowhere: a session's cookie and a subject that is shown hashed
// neither in the log at its most talkative nor in anything that is served, and what a Map takes away
// not in the stream either.
func TestNoOutputHoldsWhatAHostHides(t *testing.T) {
	const cookie, subject, dropped, removed = "cookie-hunter2", "subject-hunter2", "dropped-hunter2", "removed-hunter2"
	log := new(lockedLog)
	p := start(t, func(s *settings) {
		s.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		s.actors.Logger, s.actors.SubjectKey = s.Logger, "of this test"
		s.Admit = func(_ *http.Request, q *actors.Request) (context.Context, error) {
			q.Subject = subject
			q.Map = func(m *actors.Message) *actors.Message {
				if m.RoutingKey == dropped {
					return nil
				}
				m.Body = []byte(`"shown"`)
				return m
			}
			return nil, nil
		}
	})
	var seen strings.Builder
	r := p.read(p.do("GET", all, "Cookie", "session="+cookie).Body)
	r.want("ping")
	r.want("ready")
	p.publish(dropped, `"`+dropped+`"`)
	p.publish("open", `"`+removed+`"`)
	seen.WriteString(r.want("message"))
	operator := func(method, path string) {
		answer := newRecorder()
		request, _ := http.NewRequest(method, path, nil)
		request.Host = "localhost"
		p.handler.Operator().ServeHTTP(answer, request)
		seen.WriteString(answer.Body.String())
	}
	for _, path := range []string{"/", "/__tree__", "/metrics"} {
		operator("GET", path)
	}
	operator("POST", "/__tree__/end?subject="+subject)
	seen.WriteString(r.wantError(actors.AccessRevoked))
	p.gone()
	operator("GET", "/__tree__")
	found := seen.String() + log.String()
	if !strings.Contains(found, "shown") || !strings.Contains(found, "subject=") || !strings.Contains(found, `"subject":"`) {
		t.Fatalf("the search is blind: the stream's message, its log or its end is missing in\n%s", found)
	}
	for _, hidden := range []string{cookie, subject, dropped, removed} {
		if i := strings.Index(found, hidden); i >= 0 {
			t.Errorf("found: %s", found[max(0, i-200):min(len(found), i+100)])
		}
	}
}

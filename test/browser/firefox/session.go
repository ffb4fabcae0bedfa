package firefox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/coder/websocket"
)

// session is a connection by which Firefox is driven: commands with their
// results, and events, each a JSON text.
//
//	→ {"id":1,"method":"script.evaluate","params":{…}}
//	← {"type":"success","id":1,"result":{…}}
//	← {"type":"error","id":1,"error":"no such frame","message":"…"}
//	← {"type":"event","method":"log.entryAdded","params":{…}}
type session struct {
	socket *websocket.Conn
	read   sync.WaitGroup

	mu      sync.Mutex
	last    int
	waiting map[int]chan<- answer
	heard   map[string]func(entry) // by context
	broken  error                  // once nothing is read any more
}

// answer is any text that Firefox sends.
type answer struct {
	ID      int
	Type    string
	Error   string
	Message string
	Method  string
	Result  json.RawMessage
	Params  json.RawMessage
}

// entry is what a page, or Firefox about a page, writes to the console.
type entry struct {
	Level, Text string
	Source      struct{ Context string }
}

type object = map[string]any

// newSession connects to a browser that nothing else drives, and listens.
func newSession(ctx context.Context, address string) (*session, error) {
	socket, _, err := websocket.Dial(ctx, address+"/session", nil)
	if err != nil {
		return nil, err
	}
	socket.SetReadLimit(-1) // pictures
	s := &session{socket: socket, waiting: map[int]chan<- answer{}, heard: map[string]func(entry){}}
	s.read.Go(s.listen) // until close
	err = errors.Join(
		s.call(ctx, "session.new", object{"capabilities": object{"alwaysMatch": object{"acceptInsecureCerts": true}}}, nil),
		s.call(ctx, "session.subscribe", object{"events": []string{"log.entryAdded"}}, nil))
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) close() {
	s.socket.CloseNow()
	s.read.Wait()
}

// call sends a command, waits for its result, and reads that into result
// unless that is nil.
func (s *session) call(ctx context.Context, method string, params object, result any) error {
	answered := make(chan answer, 1) // so that a caller who has gone stops nothing
	id, err := s.expect(answered)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	defer s.forget(id)
	text, err := json.Marshal(object{"id": id, "method": method, "params": params})
	if err != nil {
		return err
	}
	if err := s.socket.Write(ctx, websocket.MessageText, text); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case a := <-answered:
		if a.Type != "success" {
			return fmt.Errorf("%s: %s: %s", method, a.Error, a.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(a.Result, result)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

func (s *session) expect(answered chan<- answer) (id int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	s.waiting[s.last] = answered
	return s.last, s.broken
}

func (s *session) forget(id int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, id)
}

// hear has f called with what is written to the console of a context, in the
// order of the writing; nil ends that.
func (s *session) hear(context string, f func(entry)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard[context] = f
	if f == nil {
		delete(s.heard, context)
	}
}

// listen reads what Firefox sends, until the connection ends.
func (s *session) listen() {
	for {
		_, text, err := s.socket.Read(context.Background())
		var a answer
		if err == nil {
			err = json.Unmarshal(text, &a)
		}
		if err != nil {
			s.fail(err)
			return
		}
		s.take(a)
	}
}

func (s *session) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
	for _, answered := range s.waiting {
		answered <- answer{Type: "error", Error: "connection lost", Message: err.Error()}
	}
	clear(s.waiting)
}

func (s *session) take(a answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.Method == "log.entryAdded" {
		var e entry
		if json.Unmarshal(a.Params, &e) == nil && s.heard[e.Source.Context] != nil {
			s.heard[e.Source.Context](e)
		}
		return
	}
	if answered := s.waiting[a.ID]; answered != nil {
		answered <- a
		delete(s.waiting, a.ID)
	}
}

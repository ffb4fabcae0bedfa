package rabbit

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// shell asks a node to evaluate Erlang expressions, through its own standard
// input and output: an answer takes a millisecond, where rabbitmqctl takes a
// second to start an Erlang of its own.
//
//	→ spawn(fun() -> try rabbit_json:encode(length([a])) of J -> io:format("@@7 ok ~s~n", …
//	← (events5672@localhost)3> @@7 ok MQ==
//
// One question at a time, so that an answer that is no longer waited for is
// known by its number. A process of its own evaluates it, so that the next one is
// answered even where one waits for ever, for a peer that is frozen or a process
// that ends.
type shell struct {
	stdin   io.Writer
	answers chan answer // closed when the node's output ends

	turn chan struct{} // room for one question at a time
	last int           // its number, for the caller whose turn it is
}

type answer struct {
	number int
	ok     bool
	value  []byte
}

func newShell(stdin io.Writer, stdout io.ReadCloser) *shell {
	s := &shell{stdin: stdin, answers: make(chan answer, 1), turn: make(chan struct{}, 1)}
	go s.read(stdout) // ends with the node
	return s
}

// read picks the answers out of the node's output, which is full of prompts.
func (s *shell) read(stdout io.ReadCloser) {
	defer close(s.answers)
	defer stdout.Close()
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		var a answer
		var status, value string
		_, marked, found := strings.Cut(line, "@@")
		if !found {
			continue
		}
		if k, _ := fmt.Sscanf(marked, "%d %s %s", &a.number, &status, &value); k != 3 {
			continue
		}
		a.ok = status == "ok"
		if a.value, err = base64.StdEncoding.DecodeString(value); err == nil {
			s.offer(a)
		}
	}
}

// offer replaces an answer that was not taken: its question was given up.
func (s *shell) offer(a answer) {
	select {
	case <-s.answers:
	default:
	}
	s.answers <- a
}

// evaluate runs one expression whose value rabbit_json can encode, and decodes
// that into result (nil: it is thrown away).
func (s *shell) evaluate(ctx context.Context, expression string, result any) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return noAnswer(ctx)
	}
	s.last++
	question := fmt.Sprintf(`spawn(fun() -> Say = fun(S, V) -> io:format("~n@@%d ~s ~s~n", [S, base64:encode(iolist_to_binary(V))]) end, `+
		`try rabbit_json:encode(begin %s end) of J -> Say("ok", J) catch C:E -> Say("failed", io_lib:format("~p:~p", [C, E])) end end).`+"\n", s.last, expression)
	if _, err := io.WriteString(s.stdin, question); err != nil {
		return fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	for {
		select {
		case a, ok := <-s.answers:
			switch {
			case !ok:
				return ErrNotRunning
			case a.number != s.last: // of a question that was given up
				continue
			case !a.ok:
				return fmt.Errorf("rabbit: %s: %s", expression, a.value)
			case result == nil:
				return nil
			}
			return json.Unmarshal(a.value, result)
		case <-ctx.Done():
			return noAnswer(ctx)
		}
	}
}

// errNoAnswer means that a question was given up before the node answered it.
var errNoAnswer = errors.New("rabbit: no answer of the node")

func noAnswer(ctx context.Context) error {
	return fmt.Errorf("%w: %w", errNoAnswer, context.Cause(ctx))
}

// awaitBoot returns when the node serves clients, and Erlang takes its start for
// complete: before that it would end with an application that is stopped.
func (s *shell) awaitBoot(ctx context.Context) error {
	err := s.evaluate(ctx, `Await = fun A() -> case {catch rabbit_boot_state:get(), init:get_status()} of `+
		`{ready, {started, _}} -> true; _ -> timer:sleep(20), A() end end, Await()`, nil)
	if errors.Is(err, ErrNotRunning) {
		return errors.New("the node has ended")
	}
	return err
}

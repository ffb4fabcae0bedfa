package tail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/itchyny/gojq"
)

// Filter is a jq program that is run on each message. What it yields decides:
//
//	nothing, false, null   the message is passed over
//	true                   the message is taken as it is
//	anything else          is taken in the message's place, each value by itself
//
// so that both `.payload.status.state == "completed"` and `.payload.status.taskId`
// do what one expects. The nil Filter takes every message.
type Filter struct{ code *gojq.Code }

// NewFilter compiles a program. The error names what is wrong and where.
func NewFilter(program string) (*Filter, error) {
	query, err := gojq.Parse(program)
	if err != nil {
		var syntax *gojq.ParseError
		if errors.As(err, &syntax) && syntax.Token != "" {
			return nil, fmt.Errorf("not a jq program: %w at byte %d", err, syntax.Offset-len(syntax.Token))
		}
		return nil, fmt.Errorf("not a jq program: %w", err)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, fmt.Errorf("not a jq program: %w", err)
	}
	return &Filter{code}, nil
}

// apply hands what the program takes of a message to take, value by value as
// JSON, until take returns an error, which is returned. A failure of the
// program is a *FilterError: what it took before that stays taken.
func (f *Filter) apply(ctx context.Context, message []byte, take func(text []byte) error) error {
	if f == nil {
		return take(message)
	}
	d := json.NewDecoder(bytes.NewReader(message))
	d.UseNumber() // numbers stay what they are
	var value any
	if err := d.Decode(&value); err != nil {
		return &FilterError{err}
	}
	for values := f.code.RunWithContext(ctx, value); ; {
		v, more := values.Next()
		if failure, failed := v.(error); failed {
			return &FilterError{failure}
		}
		switch {
		case !more:
			return nil
		case v == nil, v == false:
			continue
		}
		text, err := written(v, value, message)
		if err != nil {
			return &FilterError{err}
		}
		if err := take(text); err != nil {
			return err
		}
	}
}

// FilterError is the failure of a jq program on one message, such as the index
// of a number.
type FilterError struct{ Cause error }

// Error returns the cause on one line.
func (e *FilterError) Error() string { return "the filter failed on a message: " + e.Cause.Error() }

// written returns a value as JSON; the message itself in its own bytes.
func written(v, value any, message []byte) ([]byte, error) {
	if v == true || isSame(v, value) {
		return message, nil
	}
	return gojq.Marshal(v)
}

// isSame reports whether v is value itself: select returns what it was given.
func isSame(v, value any) bool {
	a, b := reflect.ValueOf(v), reflect.ValueOf(value)
	return a.Kind() == reflect.Map && b.Kind() == reflect.Map && a.UnsafePointer() == b.UnsafePointer()
}

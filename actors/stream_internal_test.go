package actors

import (
	"testing"
)

// toldOwner notes what a stream tells its owner.
type toldOwner struct{ closed, failed int }

func (o *toldOwner) readerClosed()       { o.closed++ }
func (o *toldOwner) readerFailed(*Error) { o.failed++ }

// A stream may be failed by a feed before its owner is known. Its connection would wait for ever for
// what it has asked, if it did not hear of that.
func TestAnOwnerHearsOfAStreamThatFailedBefore(t *testing.T) {
	for _, c := range []struct {
		end  func(*Stream)
		want toldOwner
	}{
		{func(s *Stream) { s.Fail(errRevoked) }, toldOwner{failed: 1}},
		{func(s *Stream) { s.Close() }, toldOwner{closed: 1}},
		{func(*Stream) {}, toldOwner{}},
	} {
		s, owner := newStream(t.Context(), "", subject{}, nil), toldOwner{}
		c.end(s)
		if s.ownedBy(&owner); owner != c.want {
			t.Errorf("it is told %+v, want %+v", owner, c.want)
		}
	}
}

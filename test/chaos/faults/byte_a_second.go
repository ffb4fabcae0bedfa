package faults

import "github.com/taskcluster/events-proxy/test/clients"

// ByteASecond makes clients read a byte a second: never quite stuck, and the
// proxy's writes block all the same. It lasts until Resumed.
var ByteASecond = Fault{"trickle", each(func(s *clients.Stream) error { s.Trickle(); return nil }), unread}

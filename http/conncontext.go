package httpapi

import (
	"context"
	"net"
	"net/http"
)

// connContext is the context of a Server's connection. It holds the values of a request whose context
// no middleware has changed: a stream keeps it in place of that context, whose parts that end with
// the request take 300 bytes more.
type connContext struct {
	context.Context // the server's, which never ends
	conn            net.Conn
	request         context.Context // as net/http has made it, while HTTP/1.1 is spoken and a request is handled; else nil
}

// connContextKey is the key under which a connContext is its own value.
type connContextKey struct{}

// Value returns what net/http adds for a connection, else the server's value.
func (c *connContext) Value(key any) any {
	switch key {
	case connContextKey{}:
		return c
	case http.LocalAddrContextKey:
		return c.conn.LocalAddr()
	}
	return c.Context.Value(key)
}

func connContextOf(r *http.Request) *connContext {
	c, _ := r.Context().Value(connContextKey{}).(*connContext)
	return c
}

// withConnContext passes requests on to next. It must be a Server's first handler.
func withConnContext(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := connContextOf(r); c != nil && r.ProtoMajor == 1 { // one request at a time
			c.request = r.Context()
			defer func() { c.request = nil }()
		}
		next.ServeHTTP(w, r)
	})
}

// valuesOf returns a context with the values of a request's, which does not end.
func valuesOf(r *http.Request) context.Context {
	if c := connContextOf(r); c != nil && c.request == r.Context() {
		return c
	}
	return context.WithoutCancel(r.Context()) // net/http ends it when the handler returns
}

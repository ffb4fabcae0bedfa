package httpapi

import (
	"context"
	"net/http"
	"time"
)

// Register makes the Shutdown of a program's own http.Server end the streams, and the System's with
// them, as [Server.Shutdown] does: this handler is not ready any more, new streams are refused, and
// every stream ends with ServerShutdown, spread over a time. It is to be called before Shutdown.
//
// net/http's Shutdown waits for streams of HTTP/2, and with NoHijack for all. It does not wait for
// connections that were taken over: call Shutdown of the Handler after it, and Close of the System
// last.
//
//	handler.Register(server, 2*time.Second)
//	…
//	server.Shutdown(ctx)
//	handler.Shutdown(ctx)
//	system.Close()
func (h *Handler) Register(server *http.Server, spread time.Duration) {
	server.RegisterOnShutdown(func() {
		h.Retire()
		// Either ends with the System at the latest: the error says that this was before its streams'.
		_ = h.system.Drain(context.Background(), spread)
		_ = h.Shutdown(context.Background())
	})
}

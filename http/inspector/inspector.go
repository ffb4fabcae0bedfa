// Package inspector is the Pulse Inspector: the page at the proxy's root URL
// on which a person binds exchanges and watches the messages come in.
//
// The page is plain HTML, CSS and JavaScript modules, embedded in the binary:
// no build step, no request to any other host, no inline script or style. It
// reads the event stream with the browser's own EventSource, as any client.
// Its URLs are relative, so it works under any prefix that ends in a slash.
package inspector

import (
	"embed"
	"net/http"
)

//go:embed assets
var embedded embed.FS

// prefix is where the files that a page refers to are served.
const prefix = "/inspector/"

// Handler serves the inspector: the page at "/" and its files under
// "/inspector/". Any other path is a 404, any method but GET and HEAD a 405.
// Mount it behind http.StripPrefix where the root URL has a path. The handler
// holds no state: one may serve any number of requests at a time.
func Handler() http.Handler {
	return newSite(embedded, "index.html")
}

// Package inspector serves the project's two web pages: the Pulse Inspector, on which a person
// binds exchanges and watches the messages arrive ([Handler]), and the operator's page, which shows
// the process at work ([OperatorHandler]).
//
// A page is plain HTML, CSS and JavaScript modules, embedded in the binary: no build step, no
// request to any other host, no inline script or style. All its URLs are relative, so it works
// below any prefix that ends in a slash.
//
//	assets/inspector   the Pulse Inspector
//	assets/operator    the operator's page
//	assets/shared      what both use: the head of the HTML, base styles, modules, the icon
package inspector

import (
	"embed"
	"sync"
)

//go:embed assets
var embedded embed.FS

// Handler returns the Pulse Inspector: the page at "/" and its files below "/inspector/". Any other
// path is answered with 404, any method but GET and HEAD with 405. Mount it behind http.StripPrefix
// where the root URL has a path.
//
// The page reads the event stream with the browser's own EventSource, as any other client does.
func Handler() *Site { return inspector() }

// A site is made once, and by the first who asks: its files take a tenth of a second to compress.
var inspector = sync.OnceValue(func() *Site {
	return newSite(page{
		Folder:      "inspector",
		Title:       "Pulse Inspector",
		Description: "Watch the messages of Taskcluster's Pulse exchanges as they are published.",
		Styles:      []string{"page.css", "message.css"},
	})
})

// OperatorHandler returns the operator's page: the live supervision tree, the streams, how they
// ended, and the links to the broker. Its paths are those of [Handler].
//
// It belongs on the operator's listener alone, beside the paths that it reads (GET
// /__tree__/events) and acts through (POST /__tree__/end and /__chaos__/crash).
func OperatorHandler() *Site { return operator() }

var operator = sync.OnceValue(func() *Site {
	return newSite(page{
		Folder:      "operator",
		Title:       "Events proxy: operator",
		Description: "The events proxy at work: its actors, its streams, its links to the broker.",
		Styles:      []string{"page.css"},
	})
})

package inspector

import "net/http"

// OperatorHandler serves the operator's page: the live supervision tree, the
// streams, how they ended, and the links to the broker. The page is at "/" and
// its files under "/inspector/"; otherwise it is as Handler.
//
// It belongs on the operator's listener alone, beside the paths that it reads
// (GET /__tree__/events) and acts through (POST /__tree__/end and
// /__chaos__/crash).
func OperatorHandler() http.Handler {
	return newSite(embedded, "operator.html")
}

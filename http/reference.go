package httpapi

import (
	"bytes"
	_ "embed"
	"net/http"
	"sync"
	"text/template"
)

//go:embed reference.json
var referenceText string

// referenceTemplate returns the template of the API's description.
var referenceTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("reference").Parse(referenceText))
})

// Reference returns the description of this API in Taskcluster's format, as JSON:
// what clients are generated from. The schema's URL is relative where rootURL is
// empty.
func Reference(rootURL string) []byte {
	schema := oneLineJSON(trimSlash(rootURL) + "/schemas/common/api-reference-v0.json#")
	var body bytes.Buffer
	if err := referenceTemplate().Execute(&body, struct{ Schema string }{string(schema)}); err != nil {
		panic(err) // the template is ours, a Buffer does not fail
	}
	return body.Bytes()
}

func (h *Handler) reference(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(Reference(h.options.RootURL))
}

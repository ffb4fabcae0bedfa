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

// referenceOf gives the API's description in Taskcluster's format: the
// relative reference that clients are generated from, with the schema's full
// URL where the root URL is known.
var referenceOf = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("reference").Parse(referenceText))
})

// Reference gives the description of this API, as JSON. The root URL may be
// empty.
func Reference(rootURL string) []byte {
	schema := oneLineJSON(trimSlash(rootURL) + "/schemas/common/api-reference-v0.json#")
	var body bytes.Buffer
	if err := referenceOf().Execute(&body, struct{ Schema string }{string(schema)}); err != nil {
		panic(err) // the template is ours, a Buffer does not fail
	}
	return body.Bytes()
}

func (h *Handler) reference(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(Reference(h.options.RootURL))
}

package inspector

import (
	"bytes"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"text/template"
)

// prefix is where the files that a page refers to are served.
const prefix = "/inspector/"

// page describes a page: its folder of assets, and what its head says.
type page struct {
	Folder, Title, Description string
	Styles                     []string // style sheets of the folder, in the order of their rules
}

// Site is a page at "/" and the files that it is made of. It holds no state and may serve requests
// concurrently.
type Site struct {
	files map[string]*file // by path
}

// newSite reads the files of a page once: those of its folder and the shared ones, and no other
// page's. It panics where a file is missing, which embedded files cannot be at run time.
func newSite(p page) *Site {
	files := map[string]*file{"/": newFile("page.html", p.html())}
	for _, folder := range []string{p.Folder, "shared"} {
		entries, err := embedded.ReadDir("assets/" + folder)
		if err != nil {
			panic(err)
		}
		for _, entry := range entries {
			if name := entry.Name(); path.Ext(name) != ".html" {
				files[prefix+folder+"/"+name] = newFile(name, asset(folder+"/"+name))
			}
		}
	}
	return &Site{files}
}

// Paths returns the paths that the site answers, in no order. Any other is answered with 404.
func (s *Site) Paths() []string { return slices.Collect(maps.Keys(s.files)) }

// html returns the whole page: the shared head, filled in, and the body of the page's folder.
func (p page) html() []byte {
	var b bytes.Buffer
	head := template.Must(template.New("head").Parse(string(asset("shared/head.html"))))
	if err := head.Execute(&b, p); err != nil {
		panic(err)
	}
	b.Write(asset(p.Folder + "/page.html"))
	return b.Bytes()
}

// asset returns the content of an embedded file.
func asset(name string) []byte {
	content, err := embedded.ReadFile("assets/" + name)
	if err != nil {
		panic(err)
	}
	return content
}

// ServeHTTP answers GET and HEAD; any other method is answered with 405.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := s.files[r.URL.Path]
	if f == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the page is read with GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	for name, value := range guards {
		w.Header().Set(name, value)
	}
	f.serve(w, r)
}

// guards are the headers that keep a hostile payload, or a hostile page, from making a page do
// anything: it runs its own files only, talks to its own origin, and cannot be framed.
var guards = map[string]string{
	"Content-Security-Policy": strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self'",
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'", // no text ever becomes markup or code
		"trusted-types 'none'",
	}, "; "),
	"X-Content-Type-Options":     "nosniff",
	"X-Frame-Options":            "DENY", // browsers that do not know frame-ancestors
	"Referrer-Policy":            "no-referrer",
	"Cross-Origin-Opener-Policy": "same-origin",
	"Permissions-Policy":         "camera=(), geolocation=(), microphone=()",
}

package inspector

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// site is one page at "/" and all the files that pages share.
type site map[string]*file

// newSite reads every file once. An error is impossible with embedded files,
// save for a page that is not there: a defect that any test shows.
func newSite(files fs.FS, page string) site {
	s := site{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		switch base := strings.TrimPrefix(name, "assets/"); {
		case base == page:
			s["/"] = newFile(base, content)
		case path.Ext(base) != ".html":
			s[prefix+base] = newFile(base, content)
		}
		return nil
	})
	if err != nil || s["/"] == nil {
		panic("inspector: cannot read the embedded page " + page)
	}
	return s
}

func (s site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := s[r.URL.Path]
	if f == nil {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "the inspector is read with GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	for name, value := range guards {
		w.Header().Set(name, value)
	}
	f.serve(w, r)
}

// guards are the headers that keep a hostile payload, or a hostile page, from
// making the inspector do anything: it runs its own files, talks to its own
// origin, and stands in nobody's frame.
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

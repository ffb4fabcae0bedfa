package inspector

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// types names what the inspector is made of. The machine's own table of types is not asked: it
// differs from one machine to the next.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// file is one embedded file, ready to be sent plain or compressed.
type file struct {
	contentType string
	tag         string // of the content, without quotes
	plain, gzip []byte
}

// packers are there to be used again: each takes 1 MB.
var packers = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, gzip.BestCompression) // the level is valid
	return w
}}

func newFile(name string, content []byte) *file {
	var packed bytes.Buffer
	w := packers.Get().(*gzip.Writer)
	defer packers.Put(w)
	w.Reset(&packed)
	_, _ = w.Write(content) // a Buffer takes every write
	_ = w.Close()
	return &file{
		contentType: types[path.Ext(name)],
		tag:         fmt.Sprintf("%x", sha256.Sum256(content))[:20],
		plain:       content,
		gzip:        packed.Bytes(),
	}
}

// serve answers GET and HEAD. A browser keeps the file but asks each time whether it is still the
// same, so a new release is seen at the next load.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	body, tag := f.plain, `"`+f.tag+`"`
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "no-cache")
	if accepts(r.Header.Values("Accept-Encoding"), "gzip") {
		body, tag = f.gzip, `"`+f.tag+`-gzip"` // other bytes, another tag
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", tag)
	if lists(r.Header.Values("If-None-Match"), tag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // a client that has left is no error
	}
}

// accepts reports whether an Accept-Encoding header allows a coding by name.
//
//	gzip, deflate, br;q=0.5   yes
//	gzip;q=0                  no
func accepts(header []string, coding string) bool {
	for entry := range strings.SplitSeq(strings.Join(header, ","), ",") {
		name, params, _ := strings.Cut(entry, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		weight, weighted := strings.CutPrefix(strings.TrimSpace(params), "q=")
		q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		return !weighted || err == nil && q > 0
	}
	return false
}

// lists reports whether an If-None-Match header names a tag; the comparison is the weak one, since
// proxies that change the coding weaken tags.
func lists(header []string, tag string) bool {
	for entry := range strings.SplitSeq(strings.Join(header, ","), ",") {
		entry = strings.TrimSpace(entry)
		if entry == "*" || strings.TrimPrefix(entry, "W/") == tag {
			return true
		}
	}
	return false
}

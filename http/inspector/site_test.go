package inspector

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

// The pages load fast over a bad line: all they are made of, compressed.
func TestThePagesAreSmall(t *testing.T) {
	const most = 150 << 10
	sum := 0
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(embedded, name)
		sum += len(newFile(name, content).gzip)
		return err
	})
	if err != nil || sum == 0 || sum > most {
		t.Errorf("%d bytes, compressed, of %d: %v", sum, most, err)
	}
}

// outside is what would need another host, or break the policy: a URL with a host that is loaded, a
// script or a style in the page, a handler in an attribute, text that becomes code.
var outside = regexp.MustCompile(`(?i)<(link|script|img|iframe)[^>]*="(https?:)?//|@import|url\((https?:)?//|<script>|<style|\sstyle="|\son[a-z]+="|\beval\(|new Function|innerHTML`)

func TestNothingIsLoadedFromElsewhereOrRunsInline(t *testing.T) {
	err := fs.WalkDir(embedded, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(embedded, name)
		if found := outside.Find(content); found != nil {
			t.Errorf("%s has %q", name, found)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A hostile payload finds nothing to run, and a hostile page no frame.
func TestEveryAnswerCarriesThePolicy(t *testing.T) {
	for _, path := range []string{"/", "/inspector/inspector/main.js"} {
		policy := get(t, http.MethodGet, path).Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %s: %s", path, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
	}
}

// A reload costs a question and no content, unless the content has changed.
func TestAFileIsSentOnceAndCompressed(t *testing.T) {
	first := get(t, http.MethodGet, "/inspector/inspector/main.js", "Accept-Encoding", "gzip")
	if first.Code != http.StatusOK || first.Header().Get("Content-Encoding") != "gzip" || first.Header().Get("Vary") != "Accept-Encoding" {
		t.Fatalf("%d %v", first.Code, first.Header())
	}
	tag := first.Header().Get("ETag")
	if again := get(t, http.MethodGet, "/inspector/inspector/main.js", "Accept-Encoding", "gzip", "If-None-Match", tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("%d with %d bytes", again.Code, again.Body.Len())
	}
	if plain := get(t, http.MethodGet, "/inspector/inspector/main.js", "Accept-Encoding", "gzip;q=0", "If-None-Match", tag); plain.Code != http.StatusOK || plain.Header().Get("Content-Encoding") != "" {
		t.Errorf("%d %v", plain.Code, plain.Header())
	}
}

func TestThePageIsReadOnlyAndEveryOtherPathIsUnknown(t *testing.T) {
	for _, c := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/", 200}, {http.MethodHead, "/", 200}, {http.MethodPost, "/", 405}, {http.MethodPut, "/inspector/inspector/main.js", 405},
		{http.MethodGet, "/inspector/", 404}, {http.MethodGet, "/inspector/../site.go", 404}, {http.MethodGet, "/inspector/inspector/page.html", 404},
		{http.MethodGet, "/inspector/shared/head.html", 404}, {http.MethodGet, "/inspector/operator/main.js", 404},
	} {
		got := get(t, c.method, c.path)
		if got.Code != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, got.Code, c.want)
		}
		if c.method == http.MethodHead && got.Body.Len() > 0 {
			t.Errorf("HEAD has a body of %d bytes", got.Body.Len())
		}
	}
}

func get(t *testing.T, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://proxy"+path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

// references are what makes a browser load another file of the site.
var references = regexp.MustCompile(`(?:<(?:link|img)[^>]* (?:href|src)|<script[^>]* src)="([^"]+)"|^(?:import|export) .*from '(\.[^']+)'|^\} from '([^']+)'`)

// Both pages load all they refer to, and nothing is embedded that no page uses: a module that is
// not there is a blank page.
func TestEveryFileIsFoundAndUsed(t *testing.T) {
	for name, s := range map[string]map[string]*file{"inspector": Handler().files, "operator": OperatorHandler().files} {
		used := map[string]bool{}
		var visit func(path string)
		visit = func(at string) {
			if used[at] {
				return
			}
			used[at] = true
			if s[at] == nil {
				t.Errorf("%s: %s is referred to and not there", name, at)
				return
			}
			for line := range strings.Lines(string(s[at].plain)) {
				for _, found := range references.FindAllStringSubmatch(line, -1) {
					visit(path.Join(path.Dir(at), found[1]+found[2]+found[3]))
				}
			}
		}
		visit("/")
		for at := range s {
			if !used[at] && !strings.HasPrefix(at, prefix+"shared/") {
				t.Errorf("%s: nothing refers to %s", name, at)
			}
		}
	}
}

package access

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Param is the name of the query parameter that may hold a token.
const Param = "token"

// carrier is where in a request a token was found.
type carrier string

const (
	inHeader carrier = "header"
	inCookie carrier = "cookie"
	inQuery  carrier = "query"
)

var (
	errNoToken       = errors.New("there is none in the request")
	errTwoTokens     = errors.New("the query parameter is there twice")
	errForeignCookie = errors.New("a page of another site has sent the cookie, without its origin")
)

// find returns the token of a request: that of the header Authorization, else of the cookie, else of
// the query parameter. The first that is there decides, good or not. An empty name of a cookie stands
// for none.
func find(r *http.Request, cookie string) (token string, in carrier, err error) {
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(credentials), inHeader, nil
	}
	if cookie != "" {
		if c, err := r.Cookie(cookie); err == nil {
			return c.Value, inCookie, checkSite(r)
		}
	}
	return inParameter(r.URL.RawQuery)
}

// checkSite returns an error where a browser sends its cookie because of a page of another site, and
// not the page's origin, which would have been compared with the list: as an image, for example, the
// page cannot read the stream, and would have it opened in the user's name.
func checkSite(r *http.Request) error {
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case r.Header.Get("Origin") != "", site == "", site == "same-origin", site == "none":
		return nil
	}
	return errForeignCookie
}

// inParameter returns the token in a query, which is split at & only, as for the bindings.
func inParameter(query string) (token string, in carrier, err error) {
	for part := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(part, "=")
		if key, err := url.QueryUnescape(key); err != nil || key != Param {
			continue
		}
		if in != "" {
			return "", inQuery, errTwoTokens
		}
		in = inQuery
		token, _ = url.QueryUnescape(value) // what is broken is no token
	}
	if in == "" {
		return "", "", errNoToken
	}
	return token, in, nil
}

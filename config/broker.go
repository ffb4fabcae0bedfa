package config

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// brokerURL is an AMQP URL in parts, each as it stands in the URL. The host may be a list: the
// nodes of one cluster, with the same user and virtual host.
//
//	amqps://user:password@a:5671,b:5671,[::1]/vhost?heartbeat=10
type brokerURL struct {
	scheme, userinfo string
	hosts            []string // with brackets around IPv6 addresses
	path, query      string   // from the slash, from the question mark
}

// What is wrong with a broker's URL. No error repeats a part of it: where the URL is not one, a
// password may be in any part.
var (
	errBrokerScheme = errors.New("is not a URL that starts with amqp:// or amqps://")
	errBrokerURL    = errors.New("is not a URL of the form amqps://user:password@host:port/vhost, in which special characters of a name or password are written as %XX")
	errBrokerList   = errors.New("is more than one URL: nodes of a cluster are a list of hosts in one URL, amqps://user:password@a:5671,b:5671/vhost")
	errBrokerHost   = errors.New("is a URL without a host, or with a host or port that is none")
)

func parseBrokerURL(s string) (brokerURL, error) {
	scheme, rest, _ := strings.Cut(s, "://")
	if !slices.Contains([]string{"amqp", "amqps"}, scheme) || len(rest) == len(s) {
		return brokerURL{}, errBrokerScheme
	}
	if strings.Contains(rest, "://") {
		return brokerURL{}, errBrokerList
	}
	authority, path, query := split(rest)
	at := strings.LastIndex(authority, "@")
	b := brokerURL{scheme: scheme, userinfo: authority[:max(at, 0)], path: path, query: query}
	// An @ that comes later, or a fragment, is a part of a password with a slash, ? or # in it.
	if strings.ContainsAny(path+query, "@#") || !b.readable() {
		return brokerURL{}, errBrokerURL
	}
	for host := range strings.SplitSeq(authority[at+1:], ",") {
		host, ok := brokerHost(host, "")
		if !ok {
			return brokerURL{}, errBrokerHost
		}
		b.hosts = append(b.hosts, host)
	}
	return b, nil
}

// split cuts what follows the scheme of a URL into authority, path and query.
func split(rest string) (authority, path, query string) {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		return rest, "", ""
	}
	authority, path = rest[:end], rest[end:]
	if start := strings.IndexAny(path, "?#"); start >= 0 {
		path, query = path[:start], path[start:]
	}
	return authority, path, query
}

// readable reports whether the escapes of all parts but the hosts are valid.
func (b brokerURL) readable() bool {
	b.hosts = []string{"host"}
	_, err := url.Parse(b.String())
	return err == nil
}

// String returns the URL. It holds the password.
func (b brokerURL) String() string {
	user := ""
	if b.userinfo != "" {
		user = b.userinfo + "@"
	}
	return b.scheme + "://" + user + strings.Join(b.hosts, ",") + b.path + b.query
}

// user returns the user name; "" where the URL has none.
func (b brokerURL) user() string {
	name, _, _ := strings.Cut(b.userinfo, ":")
	name, _ = url.PathUnescape(name) // readable
	return name
}

// open returns what logs may show: no credentials, and no query, which may name key files.
func (b brokerURL) open() string {
	b.userinfo, b.query = "", ""
	return b.String()
}

var hostName = regexp.MustCompile(`^[\pL\pN_]([\pL\pN._-]*[\pL\pN_.])?$`)

// brokerHost reads a host with or without a port and returns it as URLs write it, with the port
// that is given where it has none. IPv6 addresses may come with or without brackets; one without
// has no port.
func brokerHost(text, port string) (host string, ok bool) {
	host = text
	if address, err := netip.ParseAddr(text); err != nil || !address.Is6() {
		if colon := strings.LastIndex(text, ":"); colon > strings.LastIndex(text, "]") {
			host, port = text[:colon], text[colon+1:]
			if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
				return "", false
			}
		}
	}
	if host, ok = bareHost(host); !ok {
		return "", false
	}
	if strings.Contains(host, ":") {
		host = "[" + strings.ReplaceAll(host, "%", "%25") + "]" // a zone: fe80::1%eth0
	}
	if port != "" {
		host += ":" + port
	}
	return host, true
}

// bareHost reads a host name or an IP address and takes the brackets off an IPv6 address.
func bareHost(text string) (host string, ok bool) {
	inner, bracketed := strings.CutPrefix(text, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if bracketed || closed {
		inner = strings.ReplaceAll(inner, "%25", "%")
	}
	address, err := netip.ParseAddr(inner)
	isV6 := err == nil && address.Is6()
	return inner, bracketed == closed && isV6 || !bracketed && !closed && hostName.MatchString(inner)
}

package amqp

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// brokerURL is an AMQP URL in parts:
//
//	amqps://user:password@a:5671,b:5671,[2001:db8::1]/vhost?cacertfile=/etc/ssl/ca.pem
//
// It is AMQP's URI with a list of hosts in place of one: the nodes of a cluster, with one user and
// one virtual host. net/url takes no such list, and its errors quote passwords; those here quote
// nothing that could be a part of one.
type brokerURL struct {
	secure         bool // amqps
	user, password string
	hosts          []host
	vhost          string
	mechanisms     []string // of authentication
	certificates   certificates
	heartbeat      time.Duration // 0: not told
	dialTimeout    time.Duration // 0: not told
	channelMax     uint16        // the most channels of a link; 0: as many as the broker allows
}

// host is one of the URL's hosts: a name or an IP address, and a port.
type host struct {
	name string // without brackets
	port string
}

func (h host) String() string { return net.JoinHostPort(h.name, h.port) }

// certificates are the files that the query of an amqps URL names, as RabbitMQ's URI query
// parameters have them; each may be empty.
type certificates struct {
	ca, own, key string
	serverName   string
}

// form is what an error recommends.
const form = "it has the form amqps://user:password@host:port/vhost, with several hosts as a:5671,b:5671 and special characters percent-encoded"

// parseBrokerURL understands a broker's URL. Its errors hold no part of it that may be secret.
func parseBrokerURL(text string) (u brokerURL, err error) {
	bad := func(format string, args ...any) (brokerURL, error) {
		return brokerURL{}, fmt.Errorf("the broker's URL "+format, args...)
	}
	scheme, rest, found := strings.Cut(text, "://")
	switch {
	case strings.IndexFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) >= 0:
		return bad("holds a space or a control character: %s", form)
	case !found || scheme != "amqp" && scheme != "amqps":
		return bad("does not start with amqp:// or amqps://: %s", form)
	case strings.Contains(rest, "://"):
		return bad("is a list of URLs, or a special character of the password is not percent-encoded: %s", form)
	}
	u.secure = scheme == "amqps"
	authority, path, query := cutAuthority(rest)
	credentials, hosts, known := cutLast(authority, "@")
	switch {
	case strings.Contains(path+query, "@"): // the hosts may be a part of the password
		return bad("has a /, ? or # before its last @: in a user name or password they are written %%2F, %%3F, %%23; behind the hosts an @ is written %%40")
	case strings.Contains(rest, "#"):
		return bad("holds a #: in a virtual host or password it is written %%23")
	}
	if u.user, u.password, err = parseCredentials(credentials, known); err != nil {
		return bad("%w", err)
	}
	if u.hosts, err = parseHosts(hosts, map[bool]string{false: "5672", true: "5671"}[u.secure]); err != nil {
		return bad("%w", err)
	}
	if u.vhost, err = url.PathUnescape(path); err != nil {
		return bad("has a virtual host that is not percent-encoded: / is written %%2F, %% is written %%25")
	}
	u.vhost = cmp.Or(u.vhost, "/")
	if err = u.parseQuery(query, known); err != nil {
		return bad("%w", err)
	}
	return u, nil
}

// cutAuthority takes apart what follows the scheme: user:password@hosts, the path without its first
// slash, and the query.
func cutAuthority(rest string) (authority, path, query string) {
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		return rest, "", ""
	}
	path, query, _ = strings.Cut(rest[end:], "?")
	return rest[:end], strings.TrimPrefix(path, "/"), query
}

// cutLast cuts at the last separator: a password may hold the separator. Without one, all is after
// it.
func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return "", s, false
}

// parseCredentials returns AMQP's guest where the URL has no credentials.
func parseCredentials(text string, given bool) (user, password string, err error) {
	if !given {
		return "guest", "guest", nil
	}
	user, password, found := strings.Cut(text, ":")
	if !found {
		password = "guest"
	}
	for _, part := range []*string{&user, &password} {
		if *part, err = url.PathUnescape(*part); err != nil {
			return "", "", errors.New("has a user name or password that is not percent-encoded: % is written %25") // err quotes it
		}
	}
	return user, password, nil
}

// parseHosts returns the distinct hosts of a list; localhost where it is empty.
func parseHosts(list, defaultPort string) (hosts []host, err error) {
	for i, text := range strings.Split(cmp.Or(list, "localhost"), ",") {
		h, err := parseHost(text)
		if err != nil {
			return nil, fmt.Errorf("is wrong at host number %d: %w", i+1, err)
		}
		h.port = cmp.Or(h.port, defaultPort)
		if !slices.Contains(hosts, h) {
			hosts = append(hosts, h)
		}
	}
	return hosts, nil
}

// parseHost understands name, name:port, an IPv6 address, or one in brackets with or without a
// port.
func parseHost(text string) (h host, err error) {
	h.name = text
	hasPort := false
	if inner, after, bracketed := strings.Cut(strings.TrimPrefix(text, "["), "]"); bracketed && text[0] == '[' {
		inner = strings.ReplaceAll(inner, "%25", "%") // a zone: RFC 6874 escapes its percent sign
		if ip, err := netip.ParseAddr(inner); err != nil || !ip.Is6() {
			return h, errors.New("no IPv6 address in the brackets")
		}
		h.name = inner
		if h.port, hasPort = strings.CutPrefix(after, ":"); !hasPort && after != "" {
			return h, errors.New("there is text behind the brackets")
		}
	} else if ip, err := netip.ParseAddr(text); err != nil || !ip.Is6() {
		h.name, h.port, hasPort = strings.Cut(text, ":")
	}
	switch n, err := strconv.ParseUint(h.port, 10, 16); {
	case h.name == "":
		return h, errors.New("the name is empty")
	case hasPort && (err != nil || n == 0):
		return h, errors.New("the port is no number from 1 to 65535")
	case strings.IndexFunc(h.name, notInHost) >= 0:
		return h, errors.New("the name holds a character that no host name has")
	}
	return h, nil
}

// notInHost reports whether a character is in no host's name or IP address with a zone.
func notInHost(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-._:%", r)
}

// parseQuery understands RabbitMQ's URI query parameters, as far as they concern us. quotable
// reports that nothing in it can be a part of a password.
func (u *brokerURL) parseQuery(query string, quotable bool) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("has a query that is not percent-encoded")
	}
	set := map[string]func(value string) error{
		"cacertfile":             into(&u.certificates.ca, u.secure),
		"certfile":               into(&u.certificates.own, u.secure),
		"keyfile":                into(&u.certificates.key, u.secure),
		"server_name_indication": into(&u.certificates.serverName, u.secure),
		"auth_mechanism": func(value string) error {
			u.mechanisms = append(u.mechanisms, strings.Split(strings.ToLower(value), ",")...)
			return nil
		},
		"heartbeat":          number(func(n int) { u.heartbeat = time.Duration(n) * time.Second }),
		"connection_timeout": number(func(n int) { u.dialTimeout = time.Duration(n) * time.Millisecond }),
		"channel_max":        number(func(n int) { u.channelMax = uint16(n) }),
	}
	for name, list := range values {
		switch {
		case set[name] == nil && !quotable:
			return errors.New("has a query parameter that is not known")
		case set[name] == nil:
			return fmt.Errorf("has a query parameter %q that is not known", name)
		case len(list) > 1 && name != "auth_mechanism":
			return fmt.Errorf("has the query parameter %s %d times", name, len(list))
		}
		for _, value := range list {
			if err := set[name](value); err != nil {
				return fmt.Errorf("has a query parameter %s that %w", name, err)
			}
		}
	}
	return nil
}

func into(field *string, secure bool) func(string) error {
	return func(value string) error {
		if !secure {
			return errors.New("needs amqps://")
		}
		*field = value
		return nil
	}
}

func number(set func(int)) func(string) error {
	return func(value string) error {
		n, err := strconv.ParseUint(value, 10, 16)
		if err != nil || n == 0 {
			return errors.New("is no number from 1 to 65535")
		}
		set(int(n))
		return nil
	}
}

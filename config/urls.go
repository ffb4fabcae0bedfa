package config

import (
	"errors"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"
)

// broker is PULSE_URL.
var broker = kind[Secret]{
	name: "url",
	parse: func(s string) (Secret, error) {
		if err := printable(s); err != nil {
			return Secret{}, err
		}
		_, err := parseBrokerURL(s)
		return Secret{s}, err
	},
	format: Secret.String,
}

// brokerHosts is PULSE_HOSTNAME. A URL by mistake holds a password: the value is not repeated.
var brokerHosts = kind[string]{
	name: "hosts",
	parse: func(s string) (string, error) {
		for host := range strings.SplitSeq(s, ",") {
			if _, ok := brokerHost(host, ""); !ok && s != "" {
				return "", discreet("is not a host name or a list of them, each with or without a port")
			}
		}
		return s, nil
	},
	format: identity,
}

// listenHost is the host to listen on: a name or an IP address, with or without brackets.
var listenHost = kind[string]{
	name: "host",
	parse: func(s string) (string, error) {
		host, ok := bareHost(s)
		if !ok && s != "" {
			return "", errors.New("is not a host name or an IP address")
		}
		return host, nil
	},
	format: identity,
}

// webURL is a root URL. Taskcluster's documentation also writes it without a scheme
// (localhost:12345); http is meant then.
var webURL = kind[string]{
	name: "url",
	parse: func(s string) (string, error) {
		if s == "" {
			return "", nil
		}
		if !strings.Contains(s, "://") {
			s = "http://" + s
		}
		u, err := url.Parse(s)
		switch {
		case err != nil || u.Hostname() == "" || !slices.Contains([]string{"http", "https"}, u.Scheme):
			return "", errors.New("is not a URL that starts with http:// or https://")
		case u.User != nil || u.RawQuery != "" || u.Fragment != "":
			return "", errors.New("is not a root URL: that has a host and a path, nothing else")
		case path.Clean("/"+u.Path) != "/"+strings.Trim(u.Path, "/"):
			return "", errors.New("is not a root URL: its path has an empty segment, or one that is \".\" or \"..\"")
		}
		return strings.TrimRight(s, "/"), nil
	},
	format: identity,
}

// origins are what browsers send as Origin: scheme, host, port, no path; "null" is that of a page
// without one (a file), "*" stands for all.
var origins = kind[[]string]{
	name: "list",
	parse: func(s string) ([]string, error) {
		items, _ := list.parse(s)
		for _, item := range items {
			if item == "*" || item == "null" {
				continue
			}
			if u, err := url.Parse(item); err != nil || u.Scheme == "" || u.Host == "" || item != u.Scheme+"://"+u.Host {
				return nil, errors.New("is not a list of origins, such as https://tools.example.org")
			}
		}
		return items, nil
	},
	format: list.format,
}

// address is where to listen: host:port; the host may be empty.
var address = kind[string]{
	name: "address",
	parse: func(s string) (string, error) {
		if s == "" {
			return "", nil
		}
		_, port, err := net.SplitHostPort(s)
		if err == nil {
			_, err = whole(0, 65535).parse(port)
		}
		if err != nil {
			return "", errors.New("is not an address to listen on, such as 127.0.0.1:12346")
		}
		return s, nil
	},
	format: identity,
}

// cookie is a cookie's name, a token of RFC 9110.
var cookie = kind[string]{
	name: "name",
	parse: func(s string) (string, error) {
		if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r) }) {
			return "", discreet("is not the name of a cookie")
		}
		return s, nil
	},
	format: identity,
}

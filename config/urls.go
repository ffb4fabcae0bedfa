package config

import (
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
)

// brokerURL is PULSE_URL. Its errors repeat no part of it: a password may stand anywhere in a URL
// that is not one.
var brokerURL = kind[Secret]{
	name: "url",
	parse: func(s string) (Secret, error) {
		u, err := url.Parse(s)
		switch {
		case err != nil:
			return Secret{}, errors.New("not a URL (special characters of a password are written as %XX)")
		case !slices.Contains([]string{"amqp", "amqps"}, u.Scheme):
			return Secret{}, errors.New("not a URL that starts with amqp:// or amqps://")
		case u.Hostname() == "":
			return Secret{}, errors.New("a URL without a host")
		}
		return Secret{s}, nil
	},
	format: Secret.String,
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
			return "", errors.New("not a URL that starts with http:// or https://")
		case u.User != nil || u.RawQuery != "" || u.Fragment != "":
			return "", errors.New("a root URL has a host and a path, nothing else")
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
				return nil, errors.New("not a list of origins, such as https://tools.example.org")
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
			return "", errors.New("not an address to listen on, such as 127.0.0.1:12346")
		}
		return s, nil
	},
	format: identity,
}

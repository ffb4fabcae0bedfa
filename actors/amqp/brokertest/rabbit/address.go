package rabbit

import (
	"fmt"
	"net/url"
)

// URL is how the administrator reaches the broker.
func (n *Node) URL() string {
	if n.External() {
		return n.external.String()
	}
	return n.UserURL("guest", "guest", "/")
}

// administrator is the user with all rights.
func (n *Node) administrator() *url.Userinfo {
	if n.External() {
		return n.external.User
	}
	return url.UserPassword("guest", "guest")
}

// UserURL is how a user reaches a virtual host.
func (n *Node) UserURL(user, password, vhost string) string {
	scheme := "amqp"
	if n.External() {
		scheme = n.external.Scheme
	}
	u := url.URL{Scheme: scheme, User: url.UserPassword(user, password), Host: n.Address(), Path: "/" + vhost, RawPath: "/" + url.PathEscape(vhost)}
	return u.String()
}

// Address is the broker's host and port.
func (n *Node) Address() string {
	if n.External() {
		return n.external.Host
	}
	return fmt.Sprintf("127.0.0.1:%d", n.port)
}

// External reports whether others run the broker.
func (n *Node) External() bool { return n.external != nil }

// ManagementURL is how the administrator reaches the plugin of a node that has
// it.
func (n *Node) ManagementURL() string {
	u := url.URL{Scheme: "http", User: n.administrator(), Host: fmt.Sprintf("127.0.0.1:%d", n.managed)}
	return u.String()
}

package rabbit

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func (m *Management) addUser(ctx context.Context, user, password string) error {
	return m.ask(ctx, http.MethodPut, below("users/", user), map[string]string{"password": password, "tags": ""}, nil)
}

func (m *Management) deleteUser(ctx context.Context, user string) error {
	return m.remove(ctx, "users/", user)
}

func (m *Management) addVHost(ctx context.Context, vhost string) error {
	return m.ask(ctx, http.MethodPut, below("vhosts/", vhost), map[string]string{}, nil)
}

func (m *Management) deleteVHost(ctx context.Context, vhost string) error {
	return m.remove(ctx, "vhosts/", vhost)
}

func (m *Management) setPermissions(ctx context.Context, user, vhost string, p Permissions) error {
	return m.ask(ctx, http.MethodPut, below("permissions/", vhost, user),
		map[string]string{"configure": p.Configure, "write": p.Write, "read": p.Read}, nil)
}

// remove deletes an object; it is no error if there is none.
func (m *Management) remove(ctx context.Context, kind string, names ...string) error {
	err := m.ask(ctx, http.MethodDelete, below(kind, names...), nil, nil)
	if errors.Is(err, errNotFound) {
		return nil
	}
	return err
}

// below is the path of something named: each name is one segment, whatever it
// holds.
func below(kind string, names ...string) string {
	escaped := slices.Clone(names)
	for i, name := range names {
		escaped[i] = url.PathEscape(name)
	}
	return kind + strings.Join(escaped, "/")
}

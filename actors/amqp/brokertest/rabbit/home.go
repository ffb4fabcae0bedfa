package rabbit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A node's home has links to the broker's scripts, and to those of its plugins that the node needs.
// Erlang looks for each of a thousand modules in the folder of every plugin in turn until it is
// found: with all seventy of them a start fails to open 52,000 files, and takes twice as long.

// managementPlugins are what the management plugin needs beside the broker itself.
var managementPlugins = []string{"rabbitmq_management", "rabbitmq_management_agent", "rabbitmq_web_dispatch"}

// furnish makes the home, and adds to it the plugins for which wanted is true.
func (n *Node) furnish(wanted func(plugin string) bool) error {
	broker, err := n.installation()
	if err != nil {
		return err
	}
	return errors.Join(
		n.furnishWith(broker, "sbin", func(string) bool { return true }),
		n.furnishWith(broker, "plugins", func(file string) bool {
			plugin, _, versioned := strings.Cut(file, "-")
			return versioned && (wanted(plugin) || isOfTheBroker(plugin))
		}),
	)
}

// isOfTheBroker reports whether the broker does not start without the plugin, or it is a library.
func isOfTheBroker(plugin string) bool {
	return plugin == "rabbitmq_prelaunch" || !strings.HasPrefix(plugin, "rabbitmq_")
}

func isOfManagement(plugin string) bool { return slices.Contains(managementPlugins, plugin) }

// installation returns the folder of the broker's release, as the node sees it: Debian's Home has
// links into it.
func (n *Node) installation() (string, error) {
	script := Home + "/rabbitmq-server"
	target, err := os.Readlink(n.root + script)
	switch {
	case err != nil:
		return "", err
	case !filepath.IsAbs(target):
		target = filepath.Join(Home, target)
	}
	return filepath.Dir(filepath.Dir(target)), nil
}

// furnishWith links the files of one of the installation's folders.
func (n *Node) furnishWith(broker, folder string, wanted func(file string) bool) error {
	files, err := os.ReadDir(n.root + filepath.Join(broker, folder))
	if err != nil {
		return err
	}
	own := filepath.Join(n.home(), folder)
	if err := os.MkdirAll(own, 0o700); err != nil {
		return err
	}
	for _, file := range files {
		if !wanted(file.Name()) {
			continue
		}
		err := os.Symlink(filepath.Join(broker, folder, file.Name()), filepath.Join(own, file.Name()))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

func (n *Node) home() string { return n.dir + "/home" }

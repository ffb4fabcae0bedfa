package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/taskcluster/events-proxy/config"
	httpapi "github.com/taskcluster/events-proxy/http"
)

// writeDocs writes what documentation sites and client generators read:
//
//	DIR/references/api.json    the API, in Taskcluster's format
//	DIR/settings.md, .json     the table of settings
//	DIR/user-config-example.yml
func (p process) writeDocs(_ context.Context, args []string) int {
	if status, ok := p.alone("write-docs", args, 1); !ok {
		return status
	}
	var markdown, table bytes.Buffer
	config.WriteMarkdown(&markdown) // a Buffer does not fail
	config.WriteJSON(&table)
	for name, content := range map[string][]byte{
		"references/api.json":     httpapi.Reference(p.env("TASKCLUSTER_ROOT_URL")),
		"settings.md":             markdown.Bytes(),
		"settings.json":           table.Bytes(),
		"user-config-example.yml": []byte(config.Example),
	} {
		if err := writeFile(filepath.Join(args[0], name), content); err != nil {
			fmt.Fprintf(p.stderr, "events write-docs: %v\n", err)
			return failed
		}
	}
	return succeeded
}

func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

package embed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A Go program of thirty lines, in a module of its own, mounts the handler with
// the in-memory broker, publishes a message of its own and reads it back.
func TestProgramOutsideTheRepositoryMountsTheProxy(t *testing.T) {
	dir := moduleOutside(t)
	program := filepath.Join(dir, "program")
	run(t, dir, "go", "build", "-o", program, ".")
	out := run(t, dir, program)
	if want := `data: {"payload":{"n":1},"exchange":"exchange/mine","routingKey":"hello.world","redelivered":false,"routes":[]}`; strings.TrimSpace(out) != want {
		t.Errorf("the program has printed %q, not %q", out, want)
	}
}

// A host that requires this module gets nothing into its own versions that only our tests and
// tools need: with one of these in its list, a program that uses another version of the same
// library may stop compiling.
func TestAHostGetsNoneOfOurTools(t *testing.T) {
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "go.mod", fmt.Sprintf("module example.com/host\n\ngo 1.26.0\n\nrequire github.com/taskcluster/events-proxy v0.0.0\n\nreplace github.com/taskcluster/events-proxy => %s\n", root))
	write(t, dir, "main.go", read(t, "testdata/program/main.go"))
	runWith(t, dir, []string{"GOFLAGS=-mod=mod", "GOWORK=off"}, "go", "mod", "tidy")
	var modules []string
	for line := range strings.Lines(runWith(t, dir, []string{"GOFLAGS=-mod=mod", "GOWORK=off"}, "go", "list", "-m", "all")) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		modules = append(modules, name)
	}
	if !slices.Contains(modules, "github.com/rabbitmq/amqp091-go") {
		t.Fatalf("this is no list of a host's modules: %q", modules)
	}
	for _, name := range modules {
		for _, tool := range []string{
			"chromedp", "toxiproxy", "honnef.co", "pgregory.net", "go-sse", "zerolog", "helm.sh", "events-proxy/test",
		} {
			if strings.Contains(name, tool) {
				t.Errorf("a host gets %s", name)
			}
		}
	}
}

// Who does not ask for tokens is built without the libraries that check them.
func TestAHostIsBuiltWithoutTheLibrariesOfTokens(t *testing.T) {
	dir := moduleOutside(t)
	packages := runWith(t, dir, []string{"GOFLAGS=-mod=mod", "GOWORK=off"}, "go", "list", "-deps", ".")
	if !strings.Contains(packages, "amqp091-go") {
		t.Fatalf("these are no packages of a host: %s", packages)
	}
	for _, library := range []string{"golang-jwt", "go-jose"} {
		if strings.Contains(packages, library) {
			t.Errorf("a host is built with %s", library)
		}
	}
}

// moduleOutside makes the program's module: what `go mod edit -replace` and a
// first build would leave, without a look-up in the network.
func moduleOutside(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ours := read(t, filepath.Join(root, "go.mod"))
	_, requirements, _ := strings.Cut(ours, "\n\n")
	write(t, dir, "go.mod", fmt.Sprintf("module example.com/host\n\n%s\nrequire github.com/taskcluster/events-proxy v0.0.0\n\nreplace github.com/taskcluster/events-proxy => %s\n",
		requirements, root))
	write(t, dir, "go.sum", read(t, filepath.Join(root, "go.sum")))
	write(t, dir, "main.go", read(t, "testdata/program/main.go"))
	return dir
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	return runWith(t, dir, []string{"GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off"}, name, args...)
}

func runWith(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// word is the secret, or a part of it, in everything that these tests give to the program.
const word = "hunter2"

// secretCase is one way to hand a secret to the program, right or wrong.
type secretCase struct {
	name  string
	env   []string
	args  []string
	files map[string]string // beside the process
}

// secretCases are the ways that people have found, and their kin.
func secretCases() []secretCase {
	var cases []secretCase
	for name, url := range map[string]string{
		"as it should be":            "amqp://ada:" + word + "@127.0.0.1:1/v",
		"escaped special characters": "amqp://ada:" + word + "%2F%40%3A%23%3F" + word + "@127.0.0.1:1/v",
		"a second @":                 "amqp://ada:" + word + "@" + word + "@127.0.0.1:1/v",
		"a slash":                    "amqp://ada:" + word + "/" + word + "@127.0.0.1:1/v",
		"a slash behind a number":    "amqp://ada:12/" + word + "@127.0.0.1:1/v",
		"a question mark":            "amqp://ada:12?" + word + "@127.0.0.1:1/v",
		"a hash":                     "amqp://ada:12#" + word + "@127.0.0.1:1/v",
		"a percent sign":             "amqp://ada:" + word + "%zz@127.0.0.1:1/v",
		"a space":                    "amqp://ada:" + word + " " + word + "@127.0.0.1:1/v",
		"a bracket":                  "amqp://ada:[" + word + "@127.0.0.1:1/v",
		"a list of URLs":             "amqp://ada:" + word + "@a/v,amqp://ada:" + word + "@b/v",
		"a list of hosts":            "amqp://ada:" + word + "@127.0.0.1:1,127.0.0.1:2/v",
		"no host":                    "amqp://ada:" + word + "@",
		"no scheme":                  "ada:" + word + "@127.0.0.1:1/v",
		"another scheme":             "https://ada:" + word + "@127.0.0.1:1/v",
		"a wrong port":               "amqp://ada:" + word + "@127.0.0.1:" + word + "/v",
		"a line break":               "amqp://ada:" + word + "@127.0.0.1:1/v\n",
		"a parameter":                "amqp://ada:" + word + "@127.0.0.1:1/v?auth_mechanism=magic",
	} {
		cases = append(cases,
			secretCase{name: "PULSE_URL: " + name, env: []string{"PULSE_URL=" + url}},
			secretCase{name: "--pulse-url: " + name, args: []string{"--pulse-url=" + url}},
			secretCase{name: "PULSE_URL_FILE: " + name, env: []string{"PULSE_URL_FILE=secret"}, files: map[string]string{"secret": url}},
			secretCase{name: "PULSE_HOSTNAME: " + name, env: []string{"PULSE_HOSTNAME=" + url, "PULSE_USERNAME=ada", "PULSE_PASSWORD=" + word}},
			secretCase{name: "file: " + name, files: map[string]string{"user-config.yml": "production: {pulse: {url: '" + url + "'}}"}},
			secretCase{name: "bare in the file: " + name, files: map[string]string{"user-config.yml": "production: {pulse: {url: " + url + "}}"}},
		)
	}
	const broker = "PULSE_URL=amqp://127.0.0.1:1/v"
	for name, env := range map[string]string{
		"a root URL with credentials":    "TASKCLUSTER_ROOT_URL=https://ada:" + word + "@h",
		"an origin with credentials":     "EVENTS_ORIGINS=https://ada:" + word + "@h",
		"a host that is a URL":           "EVENTS_HOST=https://ada:" + word + "@h",
		"an operator's address":          "EVENTS_OPERATOR=ada:" + word + "@h:1",
		"a port that is a URL":           "PORT=http://ada:" + word + "@h:1",
		"a variable with a typing error": "PULSE_PASWORD=" + word,
		"a broken list":                  "EVENTS_EXCHANGES=https://ada:" + word + "@h/[",
		"the operators' token":           "EVENTS_OPERATOR_TOKEN=" + word,
		"a token with a line break":      "EVENTS_OPERATOR_TOKEN=" + word + "\n",
	} {
		cases = append(cases, secretCase{name: name, env: []string{broker, env}})
	}
	for _, password := range []string{word + "\n", word + "\r\n", word + "\x00", word + `/@:#?%&=+"'\$ ` + word, "*" + word, "!" + word, "&" + word, word + ",a: b", "{" + word + "}", "%" + word, "@" + word, "`" + word, "- " + word, "a, " + word} {
		four := []string{"PULSE_USERNAME=ada", "PULSE_HOSTNAME=127.0.0.1:1"}
		if !strings.Contains(password, "\x00") {
			cases = append(cases, secretCase{name: fmt.Sprintf("PULSE_PASSWORD %q", password), env: append(four, "PULSE_PASSWORD="+password)})
		}
		cases = append(cases,
			secretCase{name: fmt.Sprintf("PULSE_PASSWORD_FILE %q", password), env: append(four, "PULSE_PASSWORD_FILE=secret"), files: map[string]string{"secret": password}},
			secretCase{name: fmt.Sprintf("file %q", password), env: four, files: map[string]string{"user-config.yml": "production:\n  pulse:\n    password: " + password + "\n"}},
			secretCase{name: fmt.Sprintf("one line of the file %q", password), env: four, files: map[string]string{"user-config.yml": "production: {pulse: {password: " + password + "}}\n"}},
		)
	}
	for _, args := range []string{
		"--pulse-pasword=" + word, "-pulse-password=" + word, "-p" + word, "--pulse-password= " + word, "--pulse-url= " + word,
		"--pulse-password " + word + " --prot=1", "amqp://ada:" + word + "@h", "--config=https://ada:" + word + "@h/", "--profile=https://ada:" + word + "@h/",
	} {
		cases = append(cases, secretCase{name: args, env: []string{broker}, args: strings.Fields(args)})
	}
	return cases
}

// However a secret is handed to the program, right, malformed or in the wrong place, nothing that
// the program prints, logs or serves holds it.
func TestNoOutputHoldsASecret(t *testing.T) {
	for _, c := range secretCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, command := range []string{"config", "serve", "demo"} {
				if found := leak(outputs(t, c, command)); found != "" {
					t.Errorf("%s: …%s…", command, found)
				}
			}
		})
	}
	help := secretCase{env: []string{"PULSE_URL=amqp://ada:" + word + "@h", "PULSE_PASSWORD=" + word}, args: []string{"--help"}}
	for _, command := range []string{"config", "serve", "demo", "amqp://ada:" + word + "@h"} {
		if found := leak(outputs(t, help, command)); found != "" {
			t.Errorf("%s --help: …%s…", command, found)
		}
	}
}

// leak returns the surroundings of the secret in a text, in any of the forms in which it could be.
func leak(text string) string {
	for _, form := range []string{word, fmt.Sprintf("%x", word), base64.StdEncoding.EncodeToString([]byte(word))[:8], base64.StdEncoding.EncodeToString([]byte("ada:" + word))[:12]} {
		if i := strings.Index(text, form); i >= 0 {
			return text[max(0, i-100):min(len(text), i+100)]
		}
	}
	return ""
}

// outputs runs a command and returns all it has printed; where it goes on running, what it serves
// to clients and operators too.
func outputs(t *testing.T, c secretCase, command string) string {
	folder := t.TempDir()
	for name, content := range c.files {
		must(t, os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600))
	}
	args := append([]string{command}, c.args...)
	if command != "config" {
		args = append(args, "--port=0", "--log-level=debug")
		if !strings.Contains(strings.Join(c.env, " "), "EVENTS_OPERATOR") {
			args = append(args, "--operator=127.0.0.1:0")
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out output
	run := exec.CommandContext(ctx, program, args...)
	run.Env, run.Dir, run.Stderr = c.env, folder, &out
	stdout, err := run.StdoutPipe()
	must(t, err)
	must(t, run.Start())
	served, operators := "", strings.Contains(strings.Join(args, " "), "--operator")
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		fmt.Fprintln(&out, lines.Text())
		if url, ok := strings.CutPrefix(lines.Text(), "operators on "); ok {
			served += readAll(url, "/metrics", "/__tree__", "/__version__", "/")
			run.Process.Signal(syscall.SIGTERM)
		}
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			served += readAll(url, "/", "/__version__", "/__heartbeat__", "/references/events/v1/api.json", someBindings)
			if !operators { // else their line comes after this one
				run.Process.Signal(syscall.SIGTERM)
			}
		}
	}
	run.Wait()
	return out.String() + served
}

// readAll returns the bodies and heads of answers; an event stream is read for a moment.
func readAll(url string, paths ...string) string {
	var all strings.Builder
	for _, path := range paths {
		client := http.Client{Timeout: 500 * time.Millisecond}
		answer, err := client.Get(url + path)
		if err != nil {
			fmt.Fprintln(&all, err)
			continue
		}
		fmt.Fprintln(&all, answer.Header)
		io.Copy(&all, answer.Body) // a stream ends with the timeout
		answer.Body.Close()
	}
	return all.String()
}

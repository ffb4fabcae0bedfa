package config

import (
	"regexp"
	"slices"
	"strings"
)

// environment is the variables of the process.
type environment struct {
	variables map[string]string
	readFile  func(string) ([]byte, error)
}

func newEnvironment(environ []string, readFile func(string) ([]byte, error)) environment {
	e := environment{map[string]string{}, readFile}
	for _, line := range environ {
		if name, text, ok := strings.Cut(line, "="); ok {
			e.variables[name] = text
		}
	}
	return e
}

// get returns a variable's text; "" if it is not set.
func (e environment) get(name string) string { return e.variables[name] }

// FileVariable returns the variable that names a file with the setting's value, as container
// orchestrators provide secrets; "" for a setting that is no secret.
func (s Setting) FileVariable() string {
	if !s.Secret {
		return ""
	}
	return s.Variable + "_FILE"
}

// layer returns the settings whose variables are set.
func (e environment) layer(problems *Problems) layer {
	values, fromFile := map[string]string{}, map[string]bool{}
	for _, s := range Settings {
		if text := e.get(s.Variable); text != "" {
			values[s.Key] = text
		}
		if file := e.get(s.FileVariable()); file != "" {
			e.readSecret(s, file, values, problems)
			fromFile[s.Key] = true
		}
	}
	return layer{values, func(s Setting) string {
		if fromFile[s.Key] {
			return s.FileVariable()
		}
		return s.Variable
	}}
}

// readSecret reads a secret from a file. One line break at its end belongs to the file, not to the
// secret.
func (e environment) readSecret(s Setting, file string, values map[string]string, problems *Problems) {
	if e.get(s.Variable) != "" {
		problems.add(s.FileVariable(), "and %s are both set: one of them is enough", s.Variable)
		return
	}
	content, err := e.readFile(file)
	text := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	switch {
	case err != nil:
		problems.add(s.FileVariable(), "the file cannot be read: %v", err)
	case text == "":
		problems.add(s.FileVariable(), "%s is empty", file)
	default:
		values[s.Key] = text
	}
}

// ours are the prefixes of the variables that belong to this program.
var ours = []string{"EVENTS_", "PULSE_"}

// Variables with such a prefix that other programs set: the sound server PulseAudio, and container
// orchestrators, which announce a service named events or pulse to every container beside it.
var (
	soundServer = regexp.MustCompile(`^PULSE_(SERVER|SINK|SOURCE|PROP(_.*)?|COOKIE|CLIENTCONFIG|CONFIG|CONFIG_PATH|SCRIPT|` +
		`RUNTIME_PATH|STATE_PATH|DLPATH|BINARY|LATENCY_MSEC|LOG(_.*)?|NO_SIMD|INTERNAL)$`)
	service     = regexp.MustCompile(`_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	servicePort = regexp.MustCompile(`_PORT=(tcp|udp|sctp)://`) // EVENTS_PORT=tcp://10.0.0.7:80
)

// findUnknown finds variables of ours that do not exist: a limit with a typing error would not
// hold, without notice.
func (e environment) findUnknown(problems *Problems) {
	known := knownVariables()
	var unknown []string
	for name, text := range e.variables {
		if text != "" && isOurs(name) && !slices.Contains(known, name) && !foreign(name, text) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		problems.add(name, "unknown variable%s", suggest(name, known, ours...))
	}
}

// ToolVariables are variables of ours that are no settings: what `events tail` and others bring to a
// proxy.
var ToolVariables = []string{"EVENTS_TOKEN"}

func knownVariables() []string {
	known := slices.Clone(ToolVariables)
	for _, s := range Settings {
		known = append(known, s.Variable)
		if s.Secret {
			known = append(known, s.FileVariable())
		}
	}
	return known
}

func isOurs(name string) bool {
	return slices.ContainsFunc(ours, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// foreign reports whether another program sets such a variable.
func foreign(name, text string) bool {
	return soundServer.MatchString(name) || service.MatchString(name) || servicePort.MatchString(name+"="+text)
}

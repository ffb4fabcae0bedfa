package config

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// defaultsSection holds for every profile, below the profile's own section.
const defaultsSection = "defaults"

// accepted keys of the original's files have no effect here.
var accepted = []string{"server.env"} // the profile decides

// entry is one value of a settings file.
type entry struct {
	text string
	line int
	key  string // as written; may be an alias
}

// settingsFile is a read settings file and the profile that it is read for.
//
//	defaults:
//	  pulse: {hostname: pulse.example.org}
//	production:
//	  pulse: {username: events, password: !env PULSE_PASSWORD}
//	  server: {port: 12345}
type settingsFile struct {
	name     string
	profile  string
	readFrom string // name, if there was such a file
	sections map[string]map[string]entry
	getenv   func(string) string // for !env
	problems *Problems
}

// openFile reads the settings file that the command line asks for, or the default one where it
// exists.
func openFile(line *commandLine, getenv func(string) string, readFile func(string) ([]byte, error), problems *Problems) *settingsFile {
	f := &settingsFile{
		name:     cmp.Or(line.file, DefaultFile),
		profile:  cmp.Or(line.profile, getenv("NODE_ENV"), Default().Profile),
		sections: map[string]map[string]entry{},
		getenv:   getenv,
		problems: problems,
	}
	if mayHoldSecret(f.name) || mayHoldSecret(f.profile) {
		problems.add("--config, --profile, NODE_ENV", "one of them is not the name of a file or of a section (it is not shown: it holds an @, as a URL with a password)")
		f.name, f.profile = DefaultFile, Default().Profile
		return f
	}
	data, err := readFile(f.name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && line.file == "":
		if line.profile != "" && line.profile != Default().Profile { // NODE_ENV may be set for other programs
			problems.add("--profile", "there is no %s here to take the section %q from (choose a file with --config)", f.name, line.profile)
		}
		return f
	case err != nil:
		problems.add(f.name, "cannot be read: %v", err)
		return f
	}
	f.readFrom = f.name
	f.parse(data)
	f.wantProfile(line.profile != "" || getenv("NODE_ENV") != "" || line.file != "")
	return f
}

// wantProfile finds a profile that was asked for and is not there: the process would otherwise run
// on defaults without notice. The default profile needs no section beside `defaults`, and a file
// without any section holds for every profile.
func (f *settingsFile) wantProfile(chosen bool) {
	_, found := f.sections[f.profile]
	_, defaults := f.sections[defaultsSection]
	if !chosen || found || len(f.sections) == 0 || defaults && f.profile == Default().Profile {
		return
	}
	misspelt := ""
	if Nearest(f.profile, f.names()) != "" {
		misspelt = "; is one of them misspelt?"
	}
	f.problems.add(f.name, "no section %q for the profile (--profile or NODE_ENV); the file has %s%s",
		f.profile, strings.Join(f.names(), ", "), misspelt)
}

func (f *settingsFile) names() []string {
	var names []string
	for name := range f.sections {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// layers returns the sections that hold for the profile, weaker first.
func (f *settingsFile) layers() []layer {
	return []layer{
		fileLayer(f.name, defaultsSection, f.sections[defaultsSection]),
		fileLayer(f.name, f.profile, f.sections[f.profile]),
	}
}

// parse reads every section, those of other profiles too: a typing error is found before the day
// that profile is needed.
func (f *settingsFile) parse(data []byte) {
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF): // empty
		return
	case err != nil:
		f.problems.add(f.name, "%s", withoutValues(err))
		return
	case !errors.Is(decoder.Decode(&second), io.EOF):
		f.problems.add(f.name, "holds more than one YAML document")
		return
	}
	f.mapping(document.Content[0], "", func(section string, n *yaml.Node) {
		f.sections[section] = map[string]entry{}
		f.section(section, n)
	})
}

func (f *settingsFile) section(section string, n *yaml.Node) {
	if isGroup(section) {
		f.bad(n, section, "is no profile: settings stand in a section per profile, such as production: {%s: ...}", section)
		return
	}
	f.mapping(n, section, func(group string, n *yaml.Node) {
		if !isGroup(group) {
			f.bad(n, section+": "+group, "unknown key%s", cmp.Or(elsewhere(group), suggest(group, groups())))
			return
		}
		f.mapping(n, section+": "+group, func(key string, n *yaml.Node) {
			f.value(section, group+"."+key, n)
		})
	})
}

// groups returns the keys of a section.
func groups() (names []string) {
	for _, key := range fileKeys() {
		group, _, _ := strings.Cut(key, ".")
		names = append(names, group)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func isGroup(name string) bool { return slices.Contains(groups(), name) }

// elsewhere returns a suggestion of the setting that has a given name in another group; "" if none
// has.
func elsewhere(name string) string {
	for _, s := range Settings {
		if strings.HasSuffix(s.Key, "."+name) {
			return "; did you mean " + s.Key + "?"
		}
	}
	return ""
}

// fileKeys returns all keys that a file may use.
func fileKeys() (keys []string) {
	for _, s := range Settings {
		keys = append(append(keys, s.Key), s.Aliases...)
	}
	return keys
}

func (f *settingsFile) value(section, key string, n *yaml.Node) {
	if slices.Contains(accepted, key) {
		return
	}
	s, known := settingOf(key)
	if !known {
		f.unknown(n, section, key)
		return
	}
	if before, twice := f.sections[section][s.Key]; twice {
		f.bad(n, section+": "+key, "means the same as %s in line %d", before.key, before.line)
		return
	}
	text, set, why := scalarText(n, f.getenv)
	if why != "" {
		f.bad(n, section+": "+key, "%s", why)
	} else if set {
		f.sections[section][s.Key] = entry{text, n.Line, key}
	}
}

// unknown reports a key that does not exist. In {password: abc,def} the comma makes the rest of a
// value look like a key without one: that is not shown.
func (f *settingsFile) unknown(n *yaml.Node, section, key string) {
	group, name, _ := strings.Cut(key, ".")
	hint := cmp.Or(elsewhere(name), suggest(key, fileKeys(), group+"."))
	if isNull(n) && hint == "" {
		f.bad(n, section+": "+group, "has an unknown key without a value (a text with a comma is written in quotes)")
		return
	}
	f.bad(n, section+": "+key, "unknown key%s", hint)
}

// withoutValues returns what is wrong with a file's YAML; a text such as *word is an alias for YAML
// and may be a password for its author.
func withoutValues(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(text, "unknown anchor") {
		return "a value that starts with * refers to an anchor that is not there (such a text is written in quotes)"
	}
	return text
}

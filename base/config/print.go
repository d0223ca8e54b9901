package config

import (
	"bufio"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// textWidth is where comments of the printed file wrap.
const textWidth = 100

// hidden stands where a secret is set.
const hidden = "xxxxx"

// Print writes s as a commented settings file. Every setting is there with its text, its bounds, its environment variable and its
// default; one that has its default is commented out, so that the file of [Default] changes nothing. Secrets are masked: the
// keyset as a whole, and of a URL what authenticates.
func Print(w io.Writer, s Settings) error {
	out := bufio.NewWriter(w)
	preset := Default()
	defaults := make(map[string]string)
	for _, one := range table(&preset) {
		defaults[one.key] = one.toml()
	}
	comment(out, "Settings of Countersign. Each can also be given by the environment variable named with it; the environment wins over this file, and a flag wins over both. The file is named by --settings or COUNTERSIGN_SETTINGS. Durations are written as 30s, 10m, 72h or 365d.")
	for _, g := range groups(&s) {
		if g.name != "" {
			fmt.Fprintln(out)
			comment(out, g.doc)
			fmt.Fprintf(out, "[%s]\n", g.name)
		}
		for _, one := range g.settings {
			fmt.Fprintln(out)
			one.print(out, defaults[one.key])
		}
	}
	return out.Flush()
}

func (s setting) print(out io.Writer, preset string) {
	text := s.tag.Get("doc")
	if choice := s.tag.Get("choice"); choice != "" {
		text += " One of " + strings.Join(strings.Fields(choice), ", ") + "."
	}
	if highest := s.tag.Get("max"); highest != "" {
		text += " From " + s.tag.Get("min") + " to " + highest + "."
	}
	comment(out, text)
	comment(out, s.env()+"; default "+preset)
	name, value := s.key[strings.LastIndex(s.key, ".")+1:], s.toml()
	mark := ""
	if value == preset {
		mark = "# "
	}
	fmt.Fprintf(out, "%s%s = %s\n", mark, name, value)
}

// toml returns the setting's value as a TOML file has it, with secrets masked.
func (s setting) toml() string {
	switch v := s.value.Interface().(type) {
	case int:
		return strconv.Itoa(v)
	case time.Duration:
		return quote(printDuration(v))
	case []string:
		quoted := make([]string, len(v))
		for i, entry := range v {
			quoted[i] = quote(entry)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	default:
		return quote(mask(s.value.String(), s.tag.Get("secret")))
	}
}

// quote writes a TOML basic string. Settings that are printed as they are hold no control characters.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// mask hides what must not be printed: all of a value, or the password in a URL, which may stand in its query too. A value without a
// secret in it stays as it is.
func mask(v, secret string) string {
	if v == "" || secret == "" {
		return v
	}
	u, err := url.Parse(v)
	if secret == "all" || err != nil {
		return hidden
	}
	_, found := u.User.Password()
	query := u.Query()
	for key := range query {
		if strings.Contains(strings.ToLower(key), "pass") {
			query.Set(key, hidden)
			found = true
		}
	}
	if !found {
		return v
	}
	u.RawQuery = query.Encode()
	return u.Redacted()
}

// comment writes text as comment lines, wrapped.
func comment(out io.Writer, text string) {
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > textWidth && line != "#" {
			fmt.Fprintln(out, line)
			line = "#"
		}
		line += " " + word
	}
	fmt.Fprintln(out, line)
}

package config

import (
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"

	"countersign.dev/base/fault"
)

const day = 24 * time.Hour

// setting is one field of a Settings value, with what its tags say.
type setting struct {
	key   string // in the file: name, or group.name
	tag   reflect.StructTag
	value reflect.Value // a string, a []string, an int or a time.Duration, settable
}

// group is a table of the file; the first, nameless one holds what stands above all tables.
type group struct {
	name, doc string
	settings  []setting
}

// groups lists the fields of s in the order of the struct.
func groups(s *Settings) []group {
	all := []group{{}}
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key := field.Tag.Get("key")
		if field.Type.Kind() != reflect.Struct {
			all[0].settings = append(all[0].settings, setting{key, field.Tag, v.Field(i)})
			continue
		}
		g := group{name: key, doc: field.Tag.Get("doc")}
		for j := range field.Type.NumField() {
			tag := field.Type.Field(j).Tag
			g.settings = append(g.settings, setting{key + "." + tag.Get("key"), tag, v.Field(i).Field(j)})
		}
		all = append(all, g)
	}
	return all
}

// table lists every setting of s by key.
func table(s *Settings) []setting {
	var all []setting
	for _, g := range groups(s) {
		all = append(all, g.settings...)
	}
	return all
}

// env returns the name of the setting's environment variable.
func (s setting) env() string {
	return "COUNTERSIGN_" + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// set parses a value as a TOML file (string, int64, []any …) or the environment and flags (always string) give it.
func (s setting) set(raw any) error {
	switch field := s.value.Addr().Interface().(type) {
	case *string:
		text, ok := raw.(string)
		if !ok {
			return s.fault("setting-text")
		}
		*field = text
	case *[]string:
		list, ok := parseList(raw)
		if !ok {
			return s.fault("setting-list")
		}
		*field = list
	case *int:
		n, ok := parseInt(raw)
		if !ok {
			return s.fault("setting-number", s.tag.Get("min"), s.tag.Get("max"))
		}
		*field = n
	case *time.Duration:
		text, _ := raw.(string)
		d, ok := parseDuration(text)
		if !ok {
			return s.fault("setting-duration", s.tag.Get("min"), s.tag.Get("max"))
		}
		*field = d
	}
	return nil
}

// fault makes a fault about this setting; the first argument of its text is the setting's two names.
func (s setting) fault(id string, args ...any) *fault.Error {
	names := s.key + " (" + s.env() + ")"
	return fault.New(fault.Invalid, id, append([]any{names}, args...)...).At(s.key)
}

func parseInt(raw any) (int, bool) {
	switch v := raw.(type) {
	case int64:
		return int(v), true
	case string:
		n, err := strconv.Atoi(v)
		return n, err == nil
	}
	return 0, false
}

// parseList reads an array of texts, or one text with commas or spaces between the entries. No entries are nil.
func parseList(raw any) (list []string, ok bool) {
	switch v := raw.(type) {
	case string:
		list = strings.FieldsFunc(v, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	case []any:
		for _, entry := range v {
			text, ok := entry.(string)
			if !ok {
				return nil, false
			}
			list = append(list, text)
		}
	default:
		return nil, false
	}
	if len(list) == 0 {
		return nil, true
	}
	return list, true
}

// parseDuration reads Go's form, and whole days as 365d.
func parseDuration(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * day, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil
}

// printDuration writes what parseDuration reads, in the unit that people would choose.
func printDuration(d time.Duration) string {
	if d >= 7*day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	text := d.String() // 72h0m0s
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

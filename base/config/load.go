package config

import (
	"errors"
	"slices"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	gotoml "github.com/pelletier/go-toml/v2"

	"countersign.dev/base/fault"
)

// Load layers the settings: defaults, then the TOML file at path (empty: none), then the environment as getenv tells it, then flags
// by the setting's key. The result is valid.
//
// Faults: settings-file-unreadable, settings-file-syntax, setting-unknown, and those of [Settings.Validate].
func Load(path string, getenv func(string) string, flags map[string]string) (Settings, error) {
	s := Default()
	all := table(&s)
	layers, err := readFile(path)
	if err != nil {
		return Settings{}, err
	}
	for _, one := range all {
		if v := getenv(one.env()); v != "" {
			_ = layers.Set(one.key, v) // fails for keys that clash with a table; ours are fixed
		}
	}
	for key, v := range flags {
		_ = layers.Set(key, v)
	}
	if err := refuseUnknown(layers, &s); err != nil {
		return Settings{}, err
	}
	for _, one := range all {
		if !layers.Exists(one.key) {
			continue
		}
		if err := one.set(layers.Get(one.key)); err != nil {
			return Settings{}, err
		}
	}
	return s, s.Validate()
}

func readFile(path string) (*koanf.Koanf, error) {
	k := koanf.New(".")
	if path == "" {
		return k, nil
	}
	err := k.Load(file.Provider(path), toml.Parser())
	if syntax, ok := errors.AsType[*gotoml.DecodeError](err); ok {
		line, _ := syntax.Position()
		return nil, fault.New(fault.Invalid, "settings-file-syntax", line) // the error's own text quotes the file
	}
	if err != nil {
		return nil, fault.New(fault.Invalid, "settings-file-unreadable").Because(err)
	}
	return k, nil
}

// refuseUnknown finds the first key, in order of the alphabet, that is no setting. A table without settings is fine.
func refuseUnknown(k *koanf.Koanf, s *Settings) error {
	var known []string
	for _, g := range groups(s) {
		if table, ok := k.Get(g.name).(map[string]any); ok && len(table) == 0 {
			known = append(known, g.name)
		}
		for _, one := range g.settings {
			known = append(known, one.key)
		}
	}
	for _, key := range k.Keys() {
		if !slices.Contains(known, key) {
			return fault.New(fault.Invalid, "setting-unknown", key).At(key)
		}
	}
	return nil
}

package main

import (
	"strings"

	"github.com/alecthomas/kong"

	"countersign.dev/base/config"
	"countersign.dev/base/i18n"
)

// helpTexts are the texts of --help in a language: "cli.help.key-create" stands in the tags below as ${key_create}.
func helpTexts(l i18n.Locale) kong.Vars {
	texts := kong.Vars{}
	for _, id := range i18n.IDs(l) {
		if name, ok := strings.CutPrefix(id, "cli.help."); ok {
			texts[strings.ReplaceAll(name, "-", "_")] = i18n.Text(l, id)
		}
	}
	return texts
}

// cli is the command line. The settings that most commands need are flags; all of them can stand in the settings
// file or the environment.
type cli struct {
	Global

	Demo    demoCmd    `cmd:"" help:"${demo}"`
	Serve   serveCmd   `cmd:"" help:"${serve}"`
	Migrate migrateCmd `cmd:"" help:"${migrate}"`
	Import  importCmd  `cmd:"" help:"${import}"`
	Contact contactCmd `cmd:"" help:"${contact}"`
	Key     keyCmd     `cmd:"" help:"${key}"`
	Config  configCmd  `cmd:"" help:"${config}"`
	Version versionCmd `cmd:"" help:"${version}"`

	GenTestdata    genTestdataCmd    `cmd:"" hidden:""` // a data directory for the tests of later versions
	VerifyTestdata verifyTestdataCmd `cmd:"" hidden:""` // checks one that an earlier version wrote
}

// Global are the flags of every command.
type Global struct {
	Settings string `name:"settings" placeholder:"FILE" env:"COUNTERSIGN_SETTINGS" help:"${settings}"`
	Data     string `name:"data" placeholder:"DIR" help:"${data}"`
	Database string `name:"database" placeholder:"URL" help:"${database}"`
}

// load layers the settings: defaults, file, environment, flags.
func (g *Global) load(t terminal, more map[string]string) (config.Settings, error) {
	flags := map[string]string{}
	for key, value := range map[string]string{"data": g.Data, "database_url": g.Database} {
		if value != "" {
			flags[key] = value
		}
	}
	for key, value := range more {
		if value != "" {
			flags[key] = value
		}
	}
	return config.Load(g.Settings, t.getenv, flags)
}

// posixTag turns a locale's name such as zh_CN.UTF-8 into a language tag.
func posixTag(name string) string {
	name, _, _ = strings.Cut(name, ".")
	return strings.ReplaceAll(name, "_", "-")
}

package main

import (
	"strings"

	"countersign.dev/base/config"
)

// cli is the command line. The settings that most commands need are flags; all of them can stand in the settings
// file or the environment.
type cli struct {
	Global

	Demo    demoCmd    `cmd:"" help:"Start with a sample marketplace and verify an account's two contacts before your eyes."`
	Serve   serveCmd   `cmd:"" help:"Serve the API, send messages and do what is due."`
	Migrate migrateCmd `cmd:"" help:"Bring the database to this version's schema."`
	Import  importCmd  `cmd:"" help:"Bring accounts and their contacts in from a file."`
	Contact contactCmd `cmd:"" help:"Work on one contact of an account."`
	Key     keyCmd     `cmd:"" help:"Make, list and revoke API keys, and rotate the key that protects the data."`
	Config  configCmd  `cmd:"" help:"Print every setting with its text, as a settings file."`
	Version versionCmd `cmd:"" help:"Print the version of the program."`

	GenTestdata    genTestdataCmd    `cmd:"" hidden:"" help:"Write a data directory for the tests of later versions."`
	VerifyTestdata verifyTestdataCmd `cmd:"" hidden:"" help:"Check a data directory that an earlier version wrote."`
}

// Global are the flags of every command.
type Global struct {
	Settings string `name:"settings" placeholder:"FILE" env:"COUNTERSIGN_SETTINGS" help:"A settings file in TOML; 'countersign config' prints one."`
	Data     string `name:"data" placeholder:"DIR" help:"The data directory (COUNTERSIGN_DATA)."`
	Database string `name:"database" placeholder:"URL" help:"The database: sqlite:PATH or postgres://… (COUNTERSIGN_DATABASE_URL)."`
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

package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"countersign.dev/apptest/browser"
)

// The test binary is also the program: the scripts in testdata/script run it as a person does.
func TestMain(m *testing.M) {
	testscript.Main(browser.Around(m), map[string]func(){
		"countersign": func() {
			os.Exit(run(context.Background(), os.Args[1:], terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv}))
		},
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			// The data that the first version wrote; git keeps no mode 0600, which the keyset must have.
			kept := e.WorkDir + "/kept-0.1"
			if err := os.CopyFS(kept, os.DirFS("testdata/kept-0.1")); err != nil {
				return err
			}
			if err := os.Chmod(kept+"/keys", 0o700); err != nil {
				return err
			}
			return os.Chmod(kept+"/keys/keyset.json", 0o600)
		},
	})
}

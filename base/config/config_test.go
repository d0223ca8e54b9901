package config

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
)

var update = flag.Bool("update", false, "rewrite docs/settings.toml")

func none(string) string { return "" }

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "countersign.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLayers(t *testing.T) {
	name := write(t, `
data = "from-file"
listen = "127.0.0.1:1"
[verify]
cooldown = "45s"
messages = 3
[contact]
max_age = "100d"
`)
	env := map[string]string{
		"COUNTERSIGN_RETURN_URLS":     " https://www.example.com/settings,http://localhost:9000\thttps://b.example.com",
		"COUNTERSIGN_LISTEN":          "127.0.0.1:2",
		"COUNTERSIGN_VERIFY_MESSAGES": "4",
		"COUNTERSIGN_DATA":            "", // counts as not set
	}
	got, err := Load(name, func(k string) string { return env[k] }, map[string]string{"listen": "127.0.0.1:3"})
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Data = "from-file"
	want.Listen = "127.0.0.1:3"
	want.ReturnURLs = []string{"https://www.example.com/settings", "http://localhost:9000", "https://b.example.com"}
	want.Verify.Cooldown = 45 * time.Second
	want.Verify.Messages = 4
	want.Contact.MaxAge = 100 * day
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNothingConfiguredIsTheDefault(t *testing.T) {
	got, err := Load("", none, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), got); diff != "" {
		t.Error(diff)
	}
}

func TestFaults(t *testing.T) {
	const secret = "hunter2"
	for name, tc := range map[string]struct {
		file, env, value string
		id, field        string
	}{
		"not TOML":               {file: "data = \n" + secret, id: "settings-file-syntax"},
		"unknown":                {file: `colour = "red"`, id: "setting-unknown", field: "colour"},
		"unknown in a table":     {file: "[verify]\ncool_down = \"30s\"", id: "setting-unknown", field: "verify.cool_down"},
		"unknown table":          {file: "[sms]", id: "setting-unknown", field: "sms"},
		"a table for a value":    {file: "[data]\nx = 1", id: "setting-unknown", field: "data.x"},
		"a value for a table":    {file: "verify = 1", id: "setting-unknown", field: "verify"},
		"a number for a text":    {file: "data = 1", id: "setting-text", field: "data"},
		"a text for a number":    {env: "VERIFY_GUESSES", value: secret, id: "setting-number", field: "verify.guesses"},
		"a number too high":      {env: "VERIFY_GUESSES", value: "6", id: "setting-number", field: "verify.guesses"},
		"a number too low":       {env: "VERIFY_MESSAGES", value: "0", id: "setting-number", field: "verify.messages"},
		"a bare number of time":  {file: "[verify]\ncooldown = 30", id: "setting-duration", field: "verify.cooldown"},
		"no duration":            {env: "VERIFY_COOLDOWN", value: secret, id: "setting-duration", field: "verify.cooldown"},
		"too long a life":        {env: "VERIFY_SMS_LIFE", value: "11m", id: "setting-duration", field: "verify.sms_life"},
		"negative days":          {env: "CONTACT_MAX_AGE", value: "-3d", id: "setting-duration", field: "contact.max_age"},
		"an unknown choice":      {env: "LOG_LEVEL", value: secret, id: "setting-choice", field: "log.level"},
		"no port":                {env: "LISTEN", value: "localhost", id: "setting-host-port", field: "listen"},
		"port out of range":      {env: "LISTEN", value: "localhost:70000", id: "setting-host-port", field: "listen"},
		"no list":                {file: "return_urls = 1", id: "setting-list", field: "return_urls"},
		"a list of numbers":      {file: "return_urls = [1]", id: "setting-list", field: "return_urls"},
		"a list of no addresses": {file: `return_urls = ["https://www.example.com", "` + secret + `"]`, id: "setting-http-url", field: "return_urls"},
		"an empty entry":         {file: `return_urls = [""]`, id: "setting-http-url", field: "return_urls"},
		"two lines in an entry":  {file: `return_urls = ["https://www.example.com/\n"]`, id: "setting-text", field: "return_urls"},
		"no colour":              {env: "OPERATOR_ACCENT", value: "blue", id: "setting-colour", field: "operator.accent"},
		"too short a colour":     {env: "OPERATOR_ACCENT", value: "#00f", id: "setting-colour", field: "operator.accent"},
		"too long a visit":       {env: "PORTAL_IDLE", value: "31m", id: "setting-duration", field: "portal.idle"},
		"too long a link":        {env: "VERIFY_LINK_LIFE", value: "25h", id: "setting-duration", field: "verify.link_life"},
		"no web address":         {env: "PUBLIC_URL", value: "notices.example.com", id: "setting-http-url", field: "public_url"},
		"no mail server":         {env: "SMTP_URL", value: "https://u:" + secret + "@x", id: "setting-smtp-url", field: "smtp.url"},
		"an unreadable URL":      {env: "SMTP_URL", value: "smtp://u:" + secret + "%zz@x", id: "setting-smtp-url", field: "smtp.url"},
		"no database":            {env: "DATABASE_URL", value: "mysql://u:" + secret + "@x/y", id: "setting-database-url", field: "database_url"},
		"no domain":              {env: "MAIL_BOUNCE_DOMAIN", value: "a b", id: "setting-domain", field: "mail.bounce_domain"},
		"no address":             {env: "MAIL_FROM", value: "Team <a@example.com>", id: "setting-email", field: "mail.from"},
		"no help":                {env: "OPERATOR_HELP", value: "ring us", id: "setting-help", field: "operator.help"},
		"broken UTF-8":           {env: "OPERATOR_NAME", value: "\xff", id: "setting-text", field: "operator.name"},
		"a line break":           {env: "OPERATOR_NAME", value: "A\r\nBcc: b@example.com", id: "setting-text", field: "operator.name"},
		"no name":                {env: "OPERATOR_NAME", value: " ", id: "setting-empty", field: "operator.name"},
		"mail without a sender":  {env: "SMTP_URL", value: "smtp://mail.example.com", id: "setting-needs", field: "mail.from"},
		"a key without selector": {env: "DKIM_RSA_KEY", value: "rsa.pem", id: "setting-needs", field: "dkim.rsa_selector"},
		"DKIM without a key":     {env: "DKIM_DOMAIN", value: "example.com", id: "setting-needs", field: "dkim.ed25519_key"},
		"reminder after the end": {env: "CONTACT_MAX_AGE", value: "7d", id: "setting-remind", field: "contact.remind_before"},
	} {
		t.Run(name, func(t *testing.T) {
			getenv := func(k string) string {
				if k == "COUNTERSIGN_"+tc.env {
					return tc.value
				}
				return ""
			}
			_, err := Load(write(t, tc.file), getenv, nil)
			if !fault.Is(err, tc.id) || fault.From(err).Field != tc.field {
				t.Fatalf("Load: %v at %q, want %s at %q", err, fault.From(err).Field, tc.id, tc.field)
			}
			for _, l := range i18n.Locales() {
				if text := fault.Text(l, err) + err.Error(); strings.Contains(text, secret) || strings.Contains(text, "%!") {
					t.Errorf("the fault reads %q", text)
				}
			}
		})
	}
	if _, err := Load(filepath.Join(t.TempDir(), "missing"), none, nil); !fault.Is(err, "settings-file-unreadable") {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Load("", none, map[string]string{"colour": "red"}); !fault.Is(err, "setting-unknown") {
		t.Errorf("an unknown flag: %v", err)
	}
}

// custom differs from the default in every setting.
func custom() Settings {
	return Settings{
		Data: `d\ir "1"`, Listen: "[::1]:0", MetricsListen: ":9090", DatabaseURL: "postgres://db/countersign", PublicURL: "https://notices.example.com",
		ReturnURLs: []string{"https://www.example.com/settings", "http://127.0.0.1:9000"},
		Log:        Log{Level: "debug", Format: "json"},
		Operator:   Operator{Name: "海港线", Site: "https://example.com", Help: "help@example.com", Logo: "logo.svg", Accent: "#0b5fff"},
		Portal:     Portal{Idle: 5 * time.Minute, Life: time.Hour},
		SMTP:       SMTP{URL: "smtp://mail.example.com:587?starttls=always", CAFile: "ca.pem", Connections: 3, Helo: "out.example.com"},
		Mail:       Mail{From: "notices@example.com", FromName: "Notices", BounceDomain: "bounce.example.com"},
		DKIM:       DKIM{Domain: "example.com", Ed25519Key: "e.pem", Ed25519Selector: "e1", RSAKey: "r.pem", RSASelector: "r1"},
		Verify: Verify{
			Cooldown: 90 * time.Second, Messages: 2, SlotDaily: 3, DestinationDaily: 4, Guesses: 2, LockAfter: 50,
			SMSLife: 5 * time.Minute, EmailLife: time.Hour, LinkLife: 2 * time.Hour,
		},
		Contact:  Contact{MaxAge: 100 * day, RemindBefore: 10 * day, ChangeWindow: 100 * time.Hour, DeferralDays: 7, DeferralTimes: 1},
		Delivery: Delivery{Lease: 20 * time.Second},
	}
}

func TestPrintedFileLoads(t *testing.T) {
	for name, s := range map[string]Settings{"default": Default(), "custom": custom()} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := Print(&out, s); err != nil {
				t.Fatal(err)
			}
			got, err := Load(write(t, out.String()), none, nil)
			if err != nil {
				t.Fatalf("%v in\n%s", err, &out)
			}
			if diff := cmp.Diff(s, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPrintMasksSecrets(t *testing.T) {
	s := custom()
	s.Keyset = "canary-keyset"
	s.SMTP.URL = "smtp://user:canary-smtp@mail.example.com"
	s.DatabaseURL = "postgres://user@db/x?password=canary-db&sslpassword=canary-ssl&sslmode=require"
	var out bytes.Buffer
	if err := Print(&out, s); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "canary") {
		t.Errorf("a secret is printed:\n%s", &out)
	}
	for _, want := range []string{`keyset = "xxxxx"`, "mail.example.com", "sslmode=require"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not printed", want)
		}
	}
}

func TestPrintKeepsWhatIsNoSecret(t *testing.T) {
	for _, v := range []string{"sqlite:a b/c.db", "postgres://user@db/x?sslmode=require", "smtp://mail.example.com:25?starttls=never"} {
		if got := mask(v, "url"); got != v {
			t.Errorf("%q is printed as %q", v, got)
		}
	}
}

func TestEverySettingIsDocumented(t *testing.T) {
	s := Default()
	seen := map[string]bool{}
	for _, one := range table(&s) {
		if one.tag.Get("doc") == "" || one.tag.Get("key") == "" || seen[one.env()] {
			t.Errorf("%s lacks a tag or shares its variable", one.key)
		}
		seen[one.env()] = true
		if rule := one.tag.Get("is"); rule != "" && rules[rule].holds == nil {
			t.Errorf("%s: no rule %q", one.key, rule)
		}
		switch one.value.Interface().(type) {
		case int, time.Duration:
			if one.tag.Get("min") == "" || one.tag.Get("max") == "" {
				t.Errorf("%s has no bounds", one.key)
			}
		}
	}
	for _, name := range []string{"COUNTERSIGN_DATA", "COUNTERSIGN_DATABASE_URL", "COUNTERSIGN_SMTP_URL", "COUNTERSIGN_DKIM_DOMAIN", "COUNTERSIGN_DKIM_ED25519_KEY"} {
		if !seen[name] {
			t.Errorf("the promised %s does not exist", name)
		}
	}
}

// docs/settings.toml is what `countersign config` prints when nothing is set. Rewrite it with: go test ./base/config -update
func TestDocumentedSettingsAreCurrent(t *testing.T) {
	var out bytes.Buffer
	if err := Print(&out, Default()); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join("..", "..", "docs", "settings.toml")
	if *update {
		if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), out.String()); diff != "" {
		t.Errorf("docs/settings.toml is out of date; run go test ./base/config -update\n%s", diff)
	}
}

func TestDatabase(t *testing.T) {
	s := Default()
	if got, want := s.Database(), "sqlite:"+filepath.Join("countersign-data", "countersign.db"); got != want {
		t.Errorf("Database() = %q, want %q", got, want)
	}
	s.DatabaseURL = "postgres://db/x"
	if got := s.Database(); got != s.DatabaseURL {
		t.Errorf("Database() = %q", got)
	}
}

func TestOutbox(t *testing.T) {
	for _, tc := range []struct {
		listen, public, smtp string
		want                 bool
	}{
		{"127.0.0.1:0", "", "", true},
		{"[::1]:80", "", "", true},
		{"localhost:80", "", "", true},
		{"0.0.0.0:80", "", "", false},
		{":80", "", "", false},
		{"0.0.0.0:80", "http://127.0.0.1:80", "", true},
		{"127.0.0.1:80", "https://notices.example.com", "", false},
		{"127.0.0.1:80", "", "smtp://127.0.0.1:25", false},
	} {
		s := Settings{Listen: tc.listen, PublicURL: tc.public, SMTP: SMTP{URL: tc.smtp}}
		if got := s.Outbox(); got != tc.want {
			t.Errorf("%+v: Outbox() = %v", tc, got)
		}
	}
}

func FuzzDuration(f *testing.F) {
	f.Add("")
	f.Add("365d")
	f.Add("72h0m0s")
	f.Add("1h0m30s")
	f.Add("-1.5h")
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := parseDuration(text)
		if !ok {
			return
		}
		again, ok := parseDuration(printDuration(d))
		if !ok || again != d {
			t.Errorf("%q is %v, printed %q, read %v", text, d, printDuration(d), again)
		}
	})
}

func FuzzSettingsFile(f *testing.F) {
	f.Add("")
	f.Add("data = 'x'\n[verify]\ncooldown = '45s'\nguesses = 3")
	f.Add("return_urls = ['https://a/', 'https://b/']")
	f.Add("return_urls = 'https://a/, https://b/'")
	f.Add("smtp.url = \"smtp://h\"\nmail.from = \"a@b\"")
	name := filepath.Join(f.TempDir(), "countersign.toml")
	load := func(t *testing.T, text string) (Settings, error) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(name, none, nil)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := load(t, text)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := Print(&out, s); err != nil {
			t.Fatal(err)
		}
		again, err := load(t, out.String())
		if err != nil {
			t.Fatalf("%v in\n%s", err, &out)
		}
		var second bytes.Buffer
		if err := Print(&second, again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(out.String(), second.String()); diff != "" {
			t.Error(diff)
		}
	})
}

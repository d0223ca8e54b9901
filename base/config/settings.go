// Package config holds the settings of the program: one struct that documents itself.
//
// A setting has a default, a line in the settings file (TOML), an environment variable and for some a flag; the later of these wins.
// A list is an array in the file, and text with commas or spaces between its entries everywhere else.
// The struct's tags carry the key in the file, the text for people and the bounds. [Load] reads, [Settings.Validate] checks, and
// [Print] writes the commented file that `countersign config` shows and docs/settings.toml keeps. The variable's name follows from
// the key: verify.cooldown is COUNTERSIGN_VERIFY_COOLDOWN. A variable that is empty counts as not set.
//
// An unknown key, a value out of bounds and settings that contradict each other are faults that name the setting and never its value.
// What a setting means is the business of the package that takes it: only cmd imports this one and hands the values on as Options.
//
// It leans on base/fault, and on koanf for layering.
package config

import "time"

// Settings are all settings of the program. Get them from [Default] or [Load].
type Settings struct {
	Data          string   `key:"data" doc:"The data directory: the embedded database and, unless keyset is given, the keys."`
	Listen        string   `key:"listen" is:"host-port" doc:"The address to serve on, as HOST:PORT. Port 0 takes a free one."`
	MetricsListen string   `key:"metrics_listen" is:"host-port" doc:"An address of its own for /metrics, without a key. Empty: /metrics is on the main address and needs an API key."`
	DatabaseURL   string   `key:"database_url" is:"database-url" secret:"url" doc:"The database: sqlite:PATH or postgres://USER@HOST/NAME. Empty: SQLite in the data directory."`
	PublicURL     string   `key:"public_url" is:"http-url" doc:"Where people reach this service. Its host ends the SMS with a code, so that a phone offers the code on that page alone. Empty: the address it listens on."`
	ReturnURLs    []string `key:"return_urls" is:"http-url" doc:"Where the portal may lead account holders back to: an address, and what lies below its path. https only, except for a loopback host. Without it no session of the portal can be opened."`
	Keyset        string   `key:"keyset" secret:"all" doc:"The keyset itself, instead of DATA/keys. Needed when more than one node serves the same database. Better given by environment than in a file."`

	Log      Log      `key:"log" doc:"What the service writes to standard error."`
	Operator Operator `key:"operator" doc:"Who runs the platform; named in every message to an account."`
	SMTP     SMTP     `key:"smtp" doc:"The mail server that takes our messages. With no url and a loopback public URL the service runs in outbox mode: messages are kept in memory and shown at /outbox."`
	Mail     Mail     `key:"mail" doc:"The addresses on our mail."`
	DKIM     DKIM     `key:"dkim" doc:"Signatures on our mail. Configure both keys; a receiver uses the one it knows."`
	Portal   Portal   `key:"portal" doc:"The pages for account holders."`
	Verify   Verify   `key:"verify" doc:"Limits of verifications. They are kept in the database and hold over all nodes."`
	Contact  Contact  `key:"contact" doc:"Ageing, changing and deferring of emergency contacts."`
	Delivery Delivery `key:"delivery" doc:"Bringing messages out."`
}

// Log is how the service logs.
type Log struct {
	Level  string `key:"level" choice:"debug info warn error" doc:"The least severe line to write."`
	Format string `key:"format" choice:"text json" doc:"The form of a line."`
}

// Operator is the platform that this service speaks for.
type Operator struct {
	Name   string `key:"name" doc:"The name that account holders know the platform by."`
	Site   string `key:"site" is:"http-url" doc:"The platform's own site, where account holders sign in as they always do."`
	Help   string `key:"help" is:"help" doc:"Where account holders get help: an e-mail address or a page."`
	Logo   string `key:"logo" doc:"The file with the logo for pages and mail, in SVG. Empty: the name stands there."`
	Accent string `key:"accent" is:"colour" doc:"The colour of buttons and links, as #rrggbb. White text on it must have a contrast of 4.5:1; the tones for dark screens are derived from it. Empty: a blue."`
}

// SMTP is the way out for mail.
type SMTP struct {
	URL         string `key:"url" is:"smtp-url" secret:"url" doc:"smtp://[USER:PASSWORD@]HOST:PORT or smtps://…, with ?starttls=always, opportunistic or never. Without it STARTTLS is required, except on a loopback host, where it is used when offered. Credentials are sent under TLS only."`
	CAFile      string `key:"ca_file" doc:"A PEM file of certificate authorities to trust for this server instead of the system's."`
	Connections int    `key:"connections" min:"1" max:"1000" doc:"The most connections to hold to the server at a time."`
	Helo        string `key:"helo" is:"domain" doc:"The name we greet the server with. Empty: the domain of mail.from."`
}

// Mail is what stands in the headers and on the envelope.
type Mail struct {
	From         string `key:"from" is:"email" doc:"The address that messages come from. Needed with smtp.url."`
	FromName     string `key:"from_name" doc:"The name beside it. Empty: operator.name."`
	BounceDomain string `key:"bounce_domain" is:"domain" doc:"The domain of the signed envelope sender, to which failure reports return. Empty: the domain of mail.from."`
}

// DKIM is the signing of our mail. Key files hold a private key in PEM (PKCS #8).
type DKIM struct {
	Domain          string `key:"domain" is:"domain" doc:"The signing domain; aligned with the domain of mail.from."`
	Ed25519Key      string `key:"ed25519_key" doc:"The file with the Ed25519 private key, in PEM."`
	Ed25519Selector string `key:"ed25519_selector" is:"domain" doc:"The selector under which its public key is published."`
	RSAKey          string `key:"rsa_key" doc:"The file with the RSA private key, in PEM, of 2048 bits or more."`
	RSASelector     string `key:"rsa_selector" is:"domain" doc:"The selector under which its public key is published."`
}

// Portal bounds the visits of account holders.
type Portal struct {
	Idle time.Duration `key:"idle" min:"1m" max:"30m" doc:"How long a visit lasts without a request."`
	Life time.Duration `key:"life" min:"5m" max:"8h" doc:"How long a visit lasts at all."`
}

// Verify bounds verifications.
type Verify struct {
	Cooldown         time.Duration `key:"cooldown" min:"1s" max:"1h" doc:"The wait before a contact can be sent another code; it doubles with each message."`
	Messages         int           `key:"messages" min:"1" max:"5" doc:"The most messages in one verification, the first included."`
	SlotDaily        int           `key:"slot_daily" min:"1" max:"1000" doc:"The most messages to one contact of an account in 24 hours."`
	DestinationDaily int           `key:"destination_daily" min:"1" max:"1000" doc:"The most messages in 24 hours to one address or number, over all accounts that never verified it. An account that has verified it has an allowance of its own of the same size."`
	Guesses          int           `key:"guesses" min:"1" max:"5" doc:"The wrong guesses that end a verification."`
	LockAfter        int           `key:"lock_after" min:"5" max:"100" doc:"The wrong guesses in a row, over all verifications of a contact, after which it is locked until staff unlock it."`
	SMSLife          time.Duration `key:"sms_life" min:"1m" max:"10m" doc:"How long a code sent by SMS can be used."`
	EmailLife        time.Duration `key:"email_life" min:"1m" max:"24h" doc:"How long a code sent by e-mail can be used."`
	LinkLife         time.Duration `key:"link_life" min:"1m" max:"24h" doc:"How long a link sent by e-mail can be used, and the code that it shows."`
}

// Contact bounds what happens to contacts over time.
type Contact struct {
	MaxAge        time.Duration `key:"max_age" min:"1d" max:"3650d" doc:"How long a contact counts as verified."`
	RemindBefore  time.Duration `key:"remind_before" min:"0s" max:"365d" doc:"How long before that end the account is reminded. Shorter than max_age."`
	ChangeWindow  time.Duration `key:"change_window" min:"72h" max:"30d" doc:"How long after a change the old contact is still told that something critical was sent."`
	DeferralDays  int           `key:"deferral_days" min:"0" max:"90" doc:"The days that an account can put off one contact in all."`
	DeferralTimes int           `key:"deferral_times" min:"0" max:"20" doc:"How many times it can do so."`
}

// Delivery is how messages are brought out.
type Delivery struct {
	Lease time.Duration `key:"lease" min:"10s" max:"10m" doc:"How long a node has to send a message that it has taken. When a node dies, another one sends what it had taken after this time. Shorter ones cut off slow mail servers."`
}

// Default returns the settings of a service for which nothing was configured: it serves on the loopback interface, in outbox mode.
// The operator's name is a placeholder that a real service replaces; `serve` warns while it stands.
func Default() Settings {
	return Settings{
		Data:     "countersign-data",
		Listen:   "127.0.0.1:8080",
		Log:      Log{Level: "info", Format: "text"},
		Operator: Operator{Name: "Your platform"},
		SMTP:     SMTP{Connections: 10},
		Portal:   Portal{Idle: 30 * time.Minute, Life: 8 * time.Hour},
		Verify: Verify{
			Cooldown:         30 * time.Second,
			Messages:         5,
			SlotDaily:        10,
			DestinationDaily: 20,
			Guesses:          5,                // NIST SP 800-63B-4 §3.2.2 allows far more; a six-digit code needs few
			LockAfter:        100,              // NIST SP 800-63B-4 §3.2.2
			SMSLife:          10 * time.Minute, // NIST SP 800-63A-4: at most 10 minutes by phone
			EmailLife:        30 * time.Minute, // NIST SP 800-63A-4: at most 24 hours by e-mail
			LinkLife:         24 * time.Hour,
		},
		Contact: Contact{
			MaxAge:        365 * day,
			RemindBefore:  30 * day,
			ChangeWindow:  72 * time.Hour,
			DeferralDays:  14,
			DeferralTimes: 3,
		},
		Delivery: Delivery{Lease: 90 * time.Second},
	}
}

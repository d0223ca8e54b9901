package notice_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/notice"
)

const token = "01k9z3m7q4x2v8w5t6r1y0p3n7abcdefghjkmnpqrstvwxyz0123"

// link sends a link to an address that is to be confirmed.
func (b *bench) link() (sent notice.Sent) {
	b.Helper()
	b.write(func(ctx context.Context, tx *store.Tx) error {
		acc, err := b.accounts.Get(ctx, tx, b.seller)
		if err != nil {
			return err
		}
		sent, err = b.notices.Send(tx, notice.Notice{
			Account: acc, Class: notice.ClassCode, Template: notice.VerifyEmailLink, Slot: "email", Channel: deliver.Email,
			To: "new@example.com", Index: []byte("index"), Secrets: map[string]string{"token": token}, ExpiresAt: tx.Now().Add(24 * time.Hour),
		})
		return err
	})
	return sent
}

// What is kept of a message is what was sent, with blanks for its secrets.
func TestTheMessageCentreShowsWhatWasSent(t *testing.T) {
	engines(t, func(b *bench) {
		b.run()
		for _, locale := range []string{"en", "zh-CN"} {
			b.account(locale)
			b.link()
			b.verified(email, "old@example.com")
			b.verified(phone, "+447911123456")
			b.verified(email, "new@example.com")
			b.verified(phone, "+447911123457")
			sent := map[string]deliver.Message{}
			blanks := 0
			for _, all := range b.news() {
				for _, m := range all {
					sent[m.Reference] = m
				}
			}
			for _, s := range b.shown() {
				m := sent[string(s.Reference)]
				secret := token
				if s.Class == notice.ClassCritical {
					secret = eightDigits.FindString(m.Text)
				}
				blank := func(text string) string {
					if secret == "" {
						return text
					}
					return strings.ReplaceAll(text, secret, notice.Blank)
				}
				if s.Subject != m.Subject || s.Text != blank(m.Text) || s.HTML != blank(m.HTML) {
					b.Errorf("%s is shown as\n%s\nand was sent as\n%s", s.Reference, s.Text, m.Text)
				}
				blanks += strings.Count(s.Text, notice.Blank)
				delete(sent, string(s.Reference))
			}
			if len(sent) > 0 || blanks < 3 {
				b.Errorf("%d messages are not on record; %d blanks", len(sent), blanks)
			}
		}
	})
}

// A token and a dispute code are in the message alone: once it has left, in no row, and never in the log.
func TestSecretsRestNowhere(t *testing.T) {
	engines(t, func(b *bench) {
		b.run()
		b.link()
		b.verified(email, "old@example.com")
		b.verified(phone, "+447911123456")
		b.verified(email, "new@example.com")
		b.remove(phone)
		sent := b.news()
		canaries := []string{token, eightDigits.FindString(sent["old@example.com"][0].Text), eightDigits.FindString(sent["+447911123456"][0].Text)}
		for _, table := range []string{"notice", "delivery", "event", "dispute_code", "template_version", "river_job"} {
			for _, row := range b.rows(table) {
				for _, canary := range canaries {
					if canary == "" || strings.Contains(row, canary) {
						b.Errorf("%q is in %s: %s", canary, table, row)
					}
				}
			}
		}
		for _, shown := range b.shown() {
			for _, canary := range canaries {
				if strings.Contains(fmt.Sprintf("%+v", shown), canary) {
					b.Errorf("%s shows %q", shown.Reference, canary)
				}
			}
		}
		for _, canary := range append(canaries, "old@example.com", "+447911123456", "Lotus") {
			if strings.Contains(b.log.String(), canary) {
				b.Errorf("%q is in the log", canary)
			}
		}
	})
}

// rows prints every row of a table.
func (b *bench) rows(table string) (rows []string) {
	b.Helper()
	columns := map[string]string{
		"notice": "notice_id, reference, class, template_version, locale, variables", "delivery": "delivery_id, address, COALESCE(payload, words)",
		"event": "event_id, subject, actor, body, sealed", "dispute_code": "reference, change_id, hash",
		"template_version": "version_id, compiled", "river_job": "kind, args",
	}[table]
	dest := make([]any, strings.Count(columns, ",")+1)
	if table == "delivery" {
		dest = make([]any, 3)
	}
	err := b.db.Read(b.Context(), func(tx *store.Tx) error {
		found, err := tx.Query(b.Context(), "SELECT "+columns+" FROM "+table)
		if err != nil {
			return err
		}
		defer found.Close()
		for found.Next() {
			for i := range dest {
				dest[i] = new([]byte)
			}
			if err := found.Scan(dest...); err != nil {
				return err
			}
			var row strings.Builder
			for _, d := range dest {
				fmt.Fprintf(&row, "%q ", *d.(*[]byte))
			}
			rows = append(rows, row.String())
		}
		return found.Err()
	})
	if err != nil {
		b.Fatal(err)
	}
	return rows
}

// A later program, with other settings, shows what an earlier one sent, and brings out what it left behind.
func TestAnEarlierProgramsNoticesStay(t *testing.T) {
	engines(t, func(b *bench) {
		b.verified(email, "old@example.com")
		b.verified(email, "new@example.com")
		b.dispatch()
		before := b.shown()
		later := b.options
		later.Platform, later.Accent, later.Help, later.Logo = "Harbourline Global", "#7a1fa2", "https://help.example.com", []byte("PNG")
		b.install(later)
		after := b.shown()
		if len(before) != 3 || len(after) != 3 {
			b.Fatalf("%d notices before, %d after", len(before), len(after))
		}
		for i := range before {
			if before[i] != after[i] {
				b.Errorf("%s reads\n%s\nand read\n%s", after[i].Reference, after[i].Text, before[i].Text)
			}
		}
		b.run()
		for to, all := range b.news() {
			if all[0].Image != nil || !strings.Contains(all[0].Text, "Sent by Harbourline.") {
				b.Errorf("%s got\n%s", to, all[0].Text)
			}
		}
	})
}

func TestMailsCarryTheLogo(t *testing.T) {
	engines(t, func(b *bench) {
		with := b.options
		with.Logo, with.Help = []byte("\x89PNG"), "help@harbourline.example"
		b.install(with)
		b.link()
		b.run() // what waited is composed from its record
		waited := b.news()["new@example.com"][0]
		b.link()
		at := b.news()["new@example.com"][0]
		for _, m := range []deliver.Message{waited, at} {
			if m.Image == nil || string(m.Image.PNG) != "\x89PNG" || !strings.Contains(m.HTML, `src="cid:`+m.Image.ID+`"`) {
				b.Errorf("the mail has no logo: %+v", m.Image)
			}
			if !strings.Contains(m.Text, "https://portal.example.com/link/"+token) || !strings.Contains(m.Text, "help@harbourline.example") {
				b.Errorf("the mail says\n%s", m.Text)
			}
		}
		if shown := b.shown()[0]; strings.Contains(shown.HTML, token) || !strings.Contains(shown.HTML, "/link/"+notice.Blank) {
			b.Errorf("the record has\n%s", shown.HTML)
		}
	})
}

// A command that sends nothing has no looks, and must not put templates of its own into the database.
func TestLooksAreNoPartOfATemplate(t *testing.T) {
	engines(t, func(b *bench) {
		versions := b.count("SELECT COUNT(*) FROM template_version")
		command := b.options
		command.Accent, command.Queue = "", deliver.New(deliver.Options{DB: b.db})
		b.install(command)
		repainted := b.options
		repainted.Accent = "#7a1fa2"
		b.install(repainted)
		if n := b.count("SELECT COUNT(*) FROM template_version"); n != versions {
			b.Errorf("%d template versions, want the %d that there were", n, versions)
		}
		b.run()
		b.link()
		if m := b.news()["new@example.com"][0]; strings.Count(m.HTML, "#7a1fa2") != 2 || strings.Contains(m.HTML, b.options.Accent) {
			b.Errorf("the mail has another accent:\n%s", m.HTML)
		}
		colourless := b.options
		colourless.Accent = ""
		if err := notice.New(colourless).Install(b.Context(), b.db); err == nil {
			b.Error("mails are to be sent without an accent")
		}
	})
}

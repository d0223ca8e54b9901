package contact_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/contact"
)

func (b *bundle) sweep(t *testing.T, fn func(context.Context, *store.DB, int) (int, error), limit, want int) {
	t.Helper()
	n, err := fn(t.Context(), b.db, limit)
	if err != nil || n != want {
		t.Errorf("swept %d, %v, want %d", n, err, want)
	}
}

func TestContactsAge(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, email, "ann@example.com")
		b.verify(t, email)
		b.set(t, phone, "+44 7400 123456") // unverified: never ages
		b.news(t, seller)
		due := start.Add(365 * day)

		b.clock.Set(due.Add(-30*day - time.Microsecond))
		b.sweep(t, b.SweepReminders, 10, 0)
		b.clock.Set(due.Add(-30 * day))
		b.sweep(t, b.SweepReminders, 10, 1)
		b.sweep(t, b.SweepReminders, 10, 0)
		if e := b.wantNews(t, "contact.expiring")["contact.expiring"]; e.Body["due_at"] != "2027-03-01T09:00:00Z" || e.Subject != "email" {
			t.Errorf("event %+v", e)
		}

		b.clock.Set(due.Add(-time.Microsecond))
		b.sweep(t, b.SweepExpired, 10, 0)
		b.clock.Set(due)
		b.sweep(t, b.SweepExpired, 10, 1)
		b.sweep(t, b.SweepExpired, 10, 0)
		b.sweep(t, b.SweepReminders, 10, 0)
		if e := b.wantNews(t, "contact.needs_update")["contact.needs_update"]; e.Body["reason"] != "expired" {
			t.Errorf("event %+v", e)
		}
		k := b.target(t, email).Contact
		if k.State != contact.NeedsUpdate || k.Reason != contact.Expired || k.Email.String() != "ann@example.com" || k.DueAt != due {
			t.Errorf("got %+v", k)
		}

		b.verify(t, email) // and it all begins again
		b.clock.Set(due.Add(340 * day))
		b.sweep(t, b.SweepReminders, 10, 1)
	})
}

func TestAReminderForWhatIsAlreadyDueIsNotSent(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		b.set(t, email, "ann@example.com")
		b.verify(t, email)
		b.clock.Advance(400 * day) // nothing ran for a month
		b.sweep(t, b.SweepReminders, 10, 0)
		b.sweep(t, b.SweepExpired, 10, 1)
	})
}

func TestSweepsGoInBatches(t *testing.T) {
	engines(t, func(t *testing.T, b *bundle) {
		for _, s := range []string{"email", "email-2", "email-3", "phone", "phone-2"} {
			value := s + "@example.com"
			if slot(s).Kind() == contact.Phone {
				value = "+44 7400 123456"
			}
			b.set(t, slot(s), value)
			b.verify(t, slot(s))
		}
		for _, sweep := range []struct {
			at time.Duration
			fn func(context.Context, *store.DB, int) (int, error)
		}{{340 * day, b.SweepReminders}, {365 * day, b.SweepExpired}} {
			b.clock.Set(start.Add(sweep.at))
			for _, want := range []int{2, 2, 1, 0} {
				b.sweep(t, sweep.fn, 2, want)
			}
		}
		changed := b.count(t, "SELECT changed_at FROM account WHERE account_id = $1", seller)
		if store.Time(changed).Before(start.Add(365 * day)) {
			t.Error("the account did not change with its contacts")
		}
	})
}

// many fills the tables so that the engines' planners have something to choose by: 5,000 accounts with two contacts,
// of which one in fifty is verified.
func (b *bundle) many(t *testing.T) {
	t.Helper()
	b.set(t, email, "ann@example.com")
	b.write(t, func(ctx context.Context, tx *store.Tx) error {
		const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
		tx.Later(`INSERT INTO account (account_id, data_key, wrapped_by, name, locale, time_zone, country, created_at, changed_at) ` +
			numbers + `SELECT 'a' || i, data_key, wrapped_by, name, '', '', '', created_at, changed_at + i FROM n, account`)
		for _, s := range []contact.Slot{email, phone} {
			tx.Later(fmt.Sprintf(`INSERT INTO contact (account_id, slot, value, value_index, line, state, reason, version, set_at, due_at) `+
				numbers+`SELECT 'a' || i, '%s', value, data_key, '', CASE WHEN i %% 50 = 0 THEN 'verified' ELSE 'unverified' END, '',
					version, set_at, CASE WHEN i %% 50 = 0 THEN set_at + i ELSE NULL END
				FROM n JOIN account ON account.account_id = 'a' || i JOIN contact ON contact.account_id = '%s' AND contact.slot = 'email'`,
				s, seller))
		}
		tx.Later(`INSERT INTO contact_change (account_id, change_id, slot, kind, version, old_value, old_index, requested_at, effective_at,
				window_until) SELECT account_id, 'change', slot, 'changed', version, value, value_index, set_at, set_at, set_at
			FROM contact WHERE slot = 'email'`)
		tx.Later(`INSERT INTO dispute_code (account_id, reference, change_id, hash, expires_at)
			SELECT account_id, account_id, change_id, old_index, window_until FROM contact_change`)
		tx.Later(`INSERT INTO dispute (account_id, change_id, created_at)
			SELECT account_id, change_id, window_until FROM contact_change`)
		_, err := tx.Exec(ctx, "ANALYZE")
		return err
	})
}

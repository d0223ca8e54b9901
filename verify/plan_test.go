package verify_test

import (
	"slices"
	"strings"
	"testing"

	"countersign.dev/base/store"
	"countersign.dev/verify"
)

func TestStatementsUseTheirIndexes(t *testing.T) {
	const (
		slots      = "verification_slot_pkey|verification_slot_1"
		deliveries = "delivery_pkey|delivery_1"
		byID       = "using verification_id on|INDEX verification_id "
		byAccount  = "verification_pkey|verification_1 (account_id=? AND verification_id=?)"
	)
	tests := []struct {
		name, sql string
		args      []any
		indexes   []string // each engine must use one of an alternative, as in "a|b"
	}{
		{"one verification", verify.GetQuery, []any{"v1"}, []string{byID, slots, deliveries}},
		{"one of a holder", verify.ForHolderQuery, []any{"v1", seller}, []string{byID + "|" + byAccount, slots, deliveries}},
		{"a holder's pending ones", verify.PendingQuery, []any{seller, int64(0), int64(5), int64(100)}, []string{slots, byID + "|" + byAccount, deliveries}},
		{"one and its slot", verify.ProgressQuery, []any{"v1"}, []string{byID, slots, "verification_proved"}},
		{"what is overdue", verify.OverdueQuery, []any{int64(0), int64(500)}, []string{"verification_open"}},
	}
	onBoth(t, func(b *bench) {
		b.many()
		for _, test := range tests {
			plan, err := b.db.Explain(b.ctx, test.sql, test.args...)
			if err != nil {
				b.Errorf("%s: %v", test.name, err)
				continue
			}
			for _, names := range test.indexes {
				if !slices.ContainsFunc(strings.Split(names, "|"), func(name string) bool { return strings.Contains(plan, name) }) {
					b.Errorf("%s does not use %s:\n%s", test.name, names, plan)
				}
			}
			if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "SCAN ") || strings.Contains(plan, "TEMP B-TREE") {
				b.Errorf("%s:\n%s", test.name, plan)
			}
		}
	})
}

// many makes a slot for 5,000 accounts, a verification for 3,000 of them, 2,000 of the seller that have ended, and a
// delivery for each verification.
func (b *bench) many() {
	b.Helper()
	b.mustStart(email, verify.Link)
	b.write(func(tx *store.Tx) error {
		const numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
		tx.Later(numbers + `INSERT INTO verification_slot (account_id, slot, verification_id, previous_id, contact_version, codes, expires_at,
				guesses, messages, wrong_run, message_run, next_at)
			SELECT 'a' || i, slot, 'v' || i, '', 1, codes, expires_at, guesses, messages, 0, 1, next_at FROM n, verification_slot`)
		tx.Later(numbers + `INSERT INTO verification (account_id, verification_id, slot, method, state, contact_version, target_index,
				delivery_id, started_at, expires_at, tokens)
			SELECT CASE WHEN i > 3000 THEN account_id ELSE 'a' || i END, 'v' || i, slot, method,
				CASE WHEN i > 3000 THEN 'expired' ELSE state END, 1, target_index, 'd' || i, started_at, expires_at, tokens FROM n, verification`)
		tx.Later(`INSERT INTO delivery (account_id, delivery_id, notice_id, slot, channel, form, class, state, address, target_index,
				attempts, due_at, leased_until, expires_at, created_at, done_at, code, enhanced)
			SELECT v.account_id, v.delivery_id, v.delivery_id, d.slot, channel, form, class, 'accepted', address, d.target_index,
				1, due_at, 0, d.expires_at, created_at, created_at, 250, '' FROM delivery d, verification v WHERE v.delivery_id <> d.delivery_id`)
		_, err := tx.Exec(b.ctx, "ANALYZE")
		return err
	})
}

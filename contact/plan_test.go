package contact_test

import (
	"strings"
	"testing"

	"countersign.dev/contact"
)

func TestStatementsUseTheirIndexes(t *testing.T) {
	index := []byte{1, 2, 3}
	tests := []struct {
		name, sql string
		args      []any
		indexes   []string // each engine must use one of an alternative, as in "a|b"
		sorts     bool     // of a few rows
	}{
		{"one contact", contact.OneQuery, []any{seller, "email"}, []string{"account_pkey|account_1", "contact_pkey|contact_1"}, false},
		{"an account's contacts", contact.AllQuery, []any{seller}, []string{"account_pkey|account_1", "contact_pkey|contact_1"}, true},
		{"a proof", contact.ProveQuery, []any{seller, "email", int64(1), int64(2), int64(3)}, []string{"contact_pkey|contact_1"}, false},
		{"others with a number", contact.SharedQuery, []any{index, seller, int64(100)}, []string{"contact_value"}, true},
		{"what has grown old", contact.DueQuery, []any{int64(0), int64(500)}, []string{"contact_due"}, false},
		{"expire", contact.ExpireQuery(2), []any{int64(0), "a", "email", "b", "email"}, []string{"contact_due|contact_pkey"}, true},
		{"remind", contact.RemindQuery, []any{int64(0), int64(1), int64(500)}, []string{"contact_unreminded"}, true},
		{"open windows", contact.WindowsQuery, []any{seller, int64(0)}, []string{"contact_change_pkey|contact_change_1"}, false},
		{"one change", contact.ChangeQuery, []any{seller, "email", int64(1)}, []string{"contact_change_pkey|contact_change_1", "account_pkey|account_1"}, false},
		{"what is deferred", contact.BudgetsQuery, []any{seller}, []string{"deferral_pkey|deferral_1", "contact_pkey|contact_1"}, true},
		{
			"a dispute code", contact.ByCodeQuery,
			[]any{"CS-7K3M-9QXT-2V"},
			[]string{"dispute_code_reference", "contact_change_pkey|contact_change_1", "dispute_pkey|dispute_1"},
			false,
		},
		{
			"what can be disputed", contact.NewestChangeQuery,
			[]any{seller, "email", int64(0)},
			[]string{"contact_change_pkey|contact_change_1", "dispute_pkey|dispute_1"},
			true,
		},
		{"a dispute", contact.InsertDispute, []any{seller, "change", int64(0)}, []string{"contact_change_pkey|contact_change_1"}, false},
		{"when it was disputed", contact.DisputedQuery, []any{seller, "change"}, []string{"dispute_pkey|dispute_1"}, false},
		{"accounts by state", contact.ByStateQuery, []any{"email", "verified", "", int64(51)}, []string{"contact_state", "account_pkey|account_1"}, false},
		{
			"accounts by change", contact.ByChangeQuery,
			[]any{"email", "unverified", int64(0), "", int64(51)},
			[]string{"account_changed", "contact_pkey|contact_state"},
			false,
		},
	}
	engines(t, func(t *testing.T, b *bundle) {
		b.many(t)
		for _, test := range tests {
			plan, err := b.db.Explain(t.Context(), test.sql, test.args...)
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			for _, names := range test.indexes {
				one, other, _ := strings.Cut(names, "|")
				if !strings.Contains(plan, one) && (other == "" || !strings.Contains(plan, other)) {
					t.Errorf("%s does not use %s:\n%s", test.name, names, plan)
				}
			}
			if strings.Contains(plan, "Seq Scan") || !test.sorts && (strings.Contains(plan, "Sort") || strings.Contains(plan, "TEMP B-TREE")) {
				t.Errorf("%s:\n%s", test.name, plan)
			}
		}
	})
}

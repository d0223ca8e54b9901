package account_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

func (b *bundle) list(t *testing.T, f account.Filter) (ids []string, next string, err error) {
	t.Helper()
	err = b.db.Read(t.Context(), func(tx *store.Tx) error {
		page, n, err := b.List(t.Context(), tx, f)
		for _, acc := range page {
			ids = append(ids, acc.ID)
		}
		next = n
		return err
	})
	return ids, next, err
}

func TestListPages(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		var all []string
		for i := range 7 {
			id := fmt.Sprintf("s:%d", 7-i)
			all = append(all, id)
			b.put(t, account.Input{ID: id})
			if i%2 == 1 { // pairs share their time and are in the order of ids
				slices.Sort(all[i-1:])
				b.clock.Advance(time.Second)
			}
		}
		for _, limit := range []int{1, 2, 3, 7, 100} {
			var got []string
			f := account.Filter{Limit: limit}
			for {
				ids, next, err := b.list(t, f)
				if err != nil || len(ids) > limit {
					t.Fatalf("%d ids, %v", len(ids), err)
				}
				got = append(got, ids...)
				if f.After = next; next == "" {
					break
				}
			}
			if !slices.Equal(got, all) {
				t.Errorf("pages of %d: %v, want %v", limit, got, all)
			}
		}
		got, _, _ := b.list(t, account.Filter{ChangedSince: start.Add(2 * time.Second)})
		if !slices.Equal(got, all[4:]) {
			t.Errorf("since the third pair: %v, want %v", got, all[4:])
		}
		for _, token := range []string{"x", "1", "a:b"} {
			if _, _, err := b.list(t, account.Filter{After: token}); !fault.Is(err, "page-token") {
				t.Errorf("token %q: %v", token, err)
			}
		}
	})
}

func TestListUsesItsIndex(t *testing.T) {
	engines(t, account.Options{}, func(t *testing.T, b *bundle) {
		b.put(t, account.Input{ID: "seed"})
		b.write(t, func(ctx context.Context, tx *store.Tx) error {
			tx.Later(`INSERT INTO account (account_id, data_key, wrapped_by, name, locale, time_zone, country, created_at, changed_at)
				WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
				SELECT 'a' || i, data_key, wrapped_by, name, '', '', '', created_at, changed_at + i FROM n, account`)
			_, err := tx.Exec(ctx, "ANALYZE")
			return err
		})
		plan, err := b.db.Explain(t.Context(), account.ListQuery, int64(0), "", int64(51))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, "account_changed") || strings.Contains(plan, "Sort") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("plan:\n%s", plan)
		}
	})
}

package notice

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"countersign.dev/base/i18n"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
)

// record is a notice as stored, with its account's key.
type record struct {
	reference string
	class     string
	version   string
	locale    string
	variables map[string]string
	key       seal.DataKey
	err       error // this one cannot be opened; it holds up no other
}

// Compose is the queue's composer: it renders claimed deliveries from their records, with the secrets of their
// payloads in the blanks.
func (r *Registry) Compose(ctx context.Context, tx *store.Tx, claimed []deliver.Claimed) ([]deliver.Composed, error) {
	records, err := r.records(ctx, tx, claimed)
	if err != nil {
		return nil, err
	}
	composed := make([]deliver.Composed, len(claimed))
	for i := range claimed {
		rec, ok := records[claimed[i].NoticeID]
		if !ok {
			composed[i].Err = fmt.Errorf("notice %s is not on record", claimed[i].NoticeID)
			continue
		}
		if rec.err != nil {
			composed[i].Err = rec.err
			continue
		}
		composed[i] = r.compose(ctx, tx, &claimed[i], rec)
	}
	return composed, nil
}

func (r *Registry) compose(ctx context.Context, tx *store.Tx, c *deliver.Claimed, rec record) deliver.Composed {
	to, secrets, err := c.Open(rec.key)
	if err != nil {
		return deliver.Composed{Err: err}
	}
	v, err := r.version(ctx, tx, rec.version)
	if err != nil {
		return deliver.Composed{Err: err}
	}
	values := maps.Clone(rec.variables)
	values["reference"] = rec.reference
	maps.Copy(values, secrets)
	content, err := v.render(rec.locale, c.Form, values)
	if err != nil {
		return deliver.Composed{Err: err}
	}
	return deliver.Composed{Key: rec.key, To: to, Content: r.outgoing(content, c.Form, Reference(rec.reference), i18n.Locale(rec.locale))}
}

// records reads the notices of claimed deliveries with their accounts' keys, in one statement. The list is
// filled up to a power of two, as the claim is.
func (r *Registry) records(ctx context.Context, tx *store.Tx, claimed []deliver.Claimed) (map[string]record, error) {
	size := 1
	for size < len(claimed) {
		size *= 2
	}
	var args []any
	marks := make([]string, size)
	for i := range size {
		c := claimed[min(i, len(claimed)-1)]
		args = append(args, c.Account, c.NoticeID)
		marks[i] = "($" + strconv.Itoa(2*i+1) + ", $" + strconv.Itoa(2*i+2) + ")"
	}
	rows, err := tx.Query(ctx, recordsQuery+"(VALUES "+strings.Join(marks, ", ")+")", args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	records := make(map[string]record, len(claimed))
	for rows.Next() {
		var account, id string
		var wrapped, variables []byte
		var rec record
		if err := rows.Scan(&account, &id, &rec.reference, &rec.class, &rec.version, &rec.locale, &variables, &wrapped); err != nil {
			return nil, err
		}
		rec.err = r.open(&rec, account, id, wrapped, variables)
		records[id] = rec
	}
	return records, rows.Err()
}

func (r *Registry) open(rec *record, account, id string, wrapped, variables []byte) (err error) {
	if rec.key, err = r.o.Keys.Unwrap(account, wrapped); err != nil {
		return fmt.Errorf("data key of account %s: %w", account, err)
	}
	plain, err := rec.key.Open(place(id), variables)
	if err != nil {
		return fmt.Errorf("notice %s: %w", id, err)
	}
	return json.Unmarshal(plain, &rec.variables)
}

const recordsQuery = `SELECT n.account_id, n.notice_id, n.reference, n.class, n.template_version, n.locale, n.variables, a.data_key
	FROM notice n JOIN account a ON a.account_id = n.account_id
	WHERE (n.account_id, n.notice_id) IN `

package notice

import (
	"context"
	"maps"
	"time"

	"countersign.dev/base/store"
)

// Blank stands where a secret stood.
const Blank = "••••••"

// Shown is a notice as it was sent, with blanks for its secrets.
type Shown struct {
	ID        string
	Reference Reference
	Class     Class
	Locale    string
	CreatedAt time.Time
	Content
}

// OfAccount returns an account's notices as they were sent, oldest first, at most limit, after the notice id after
// when that is not empty.
func (r *Registry) OfAccount(ctx context.Context, tx *store.Tx, accountID, after string, limit int) ([]Shown, error) {
	stored, err := r.stored(ctx, tx, accountID, after, limit)
	if err != nil {
		return nil, err
	}
	shown := make([]Shown, len(stored))
	for i, s := range stored {
		v, err := r.version(ctx, tx, s.version)
		if err != nil {
			return nil, err
		}
		values := maps.Clone(s.variables)
		values["reference"] = s.reference
		for _, hole := range v.Forms[s.record.locale][s.form].open(values) { // the secrets
			values[hole] = Blank
		}
		shown[i] = s.Shown
		if shown[i].Content, err = v.render(s.record.locale, s.form, values); err != nil {
			return nil, err
		}
	}
	return shown, nil
}

// stored is a notice of an account with the form that its delivery has.
type stored struct {
	Shown
	record
	form string
}

const ofAccountQuery = `SELECT n.notice_id, n.reference, n.class, n.template_version, n.locale, n.variables, n.created_at, d.form, a.data_key
	FROM notice n JOIN account a ON a.account_id = n.account_id
		JOIN delivery d ON d.account_id = n.account_id AND d.notice_id = n.notice_id
	WHERE n.account_id = $1 AND n.notice_id > $2 ORDER BY n.notice_id LIMIT $3`

func (r *Registry) stored(ctx context.Context, tx *store.Tx, accountID, after string, limit int) ([]stored, error) {
	rows, err := tx.Query(ctx, ofAccountQuery, accountID, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []stored
	for rows.Next() {
		var s stored
		var wrapped, variables []byte
		var created int64
		if err := rows.Scan(&s.ID, &s.record.reference, &s.record.class, &s.version, &s.record.locale, &variables, &created, &s.form, &wrapped); err != nil {
			return nil, err
		}
		if err := r.open(&s.record, accountID, s.ID, wrapped, variables); err != nil {
			return nil, err
		}
		s.Reference, s.Class, s.Locale = Reference(s.record.reference), Class(s.record.class), s.record.locale
		s.CreatedAt = store.Time(created)
		all = append(all, s)
	}
	return all, rows.Err()
}

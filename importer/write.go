package importer

import (
	"context"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// outcome is what became of a row that was to be written.
type outcome struct {
	changed bool
	problem *fault.Error
}

// write writes a batch in one transaction. When that fails, each row is written in one of its own, so that the row which cannot be
// written takes no other with it.
func (run *run) write(ctx context.Context, rows []*row) ([]outcome, error) {
	out := make([]outcome, len(rows))
	err := run.db().Write(ctx, func(tx *store.Tx) (err error) {
		for i, r := range rows {
			if out[i], err = run.put(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil {
		return nil, err
	}
	for i, r := range rows {
		if out[i], err = run.writeAlone(ctx, r); err != nil {
			return out[:i], err
		}
	}
	return out, nil
}

// writeAlone writes one row. The error is that of a database that takes nothing at the moment.
func (run *run) writeAlone(ctx context.Context, r *row) (out outcome, err error) {
	err = run.db().Write(ctx, func(tx *store.Tx) (err error) {
		out, err = run.put(ctx, tx, r)
		return err
	})
	if err == nil || ctx.Err() != nil {
		return out, err
	}
	problem := fault.From(err)
	switch problem.Kind {
	case fault.Unavailable:
		return out, err
	case fault.Internal:
		if run.db().Ping(ctx) != nil {
			return out, err
		}
		run.im.o.Log.Error("a row could not be written", "line", r.line, "error", err)
		problem = fault.New(fault.Internal, "import-row-failed")
	}
	return outcome{problem: problem}, nil
}

// put writes a row. A problem says that nothing was written and nothing is lost; after an error the transaction must not be
// committed.
func (run *run) put(ctx context.Context, tx *store.Tx, r *row) (out outcome, err error) {
	acc, created, err := run.im.o.Accounts.Put(ctx, tx, r.account, run.im.o.Actor)
	if f := fault.From(err); f != nil && f.Kind == fault.Invalid { // found before the first statement
		return outcome{problem: f}, nil
	}
	if err != nil {
		return out, err
	}
	// What changed now has a time of now or later: a change never goes back behind one that was made before.
	out.changed = created || !acc.ChangedAt.Before(tx.Now())
	for _, s := range r.contacts {
		k, _, err := run.im.o.Contacts.Set(ctx, tx, acc.ID, s.slot, s.value, s.extension, run.im.o.Actor)
		if err != nil {
			return out, s.at(err)
		}
		out.changed = out.changed || k.Version >= store.Micros(tx.Now())
	}
	return out, nil
}

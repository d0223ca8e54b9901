package seal

import (
	"context"
	"crypto/hmac"
	"errors"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
)

// Options say where the keyset is.
type Options struct {
	// Dir is the folder of keyset.json, DATA/keys. Attach makes it when it makes the keyset.
	Dir string
	// Keyset is the content of a keyset.json, given by setting so that more than one node can have it. It wins over Dir; nothing is
	// then read from or written to disk, and Rotate is refused.
	Keyset string `json:"-"`
}

// settingName is what texts call the keyset that came by setting.
const settingName = "COUNTERSIGN_KEYSET"

// folder returns where the keyset file is, and "" for a keyset given by setting.
func (o Options) folder() folder {
	if o.Keyset != "" {
		return ""
	}
	return folder(o.Dir)
}

// instance is the one row that says which keyset a database belongs to.
type instance struct {
	fingerprint, dataKey []byte
}

// Attach binds the keyset to a migrated database. For an empty database it makes a keyset if there is none, or adopts the one there
// is; created says that it made one, which the operator must now back up. Of several processes that attach to the same empty
// database at once, one decides which keyset it belongs to.
//
// Faults: keyset-missing, keyset-wrong, keyset-outdated (made for this database, but from before a rotation), keyset-unreadable,
// keyset-permissions, instance-missing (accounts without the instance row: not the whole database).
func Attach(ctx context.Context, db *store.DB, o Options) (k *Keyring, created bool, err error) {
	if o.Dir == "" && o.Keyset == "" {
		return nil, false, errors.New("seal: Options need Dir or Keyset")
	}
	row, err := readInstance(ctx, db)
	if err != nil {
		return nil, false, err
	}
	ks, created, err := o.load(row == nil)
	if err != nil {
		return nil, false, err
	}
	if row == nil {
		if row, err = claim(ctx, db, ks); err != nil {
			return nil, false, err
		}
	}
	k, err = open(o.folder(), ks, row)
	if err != nil {
		return nil, false, err
	}
	return k, created, nil
}

// load finds the keyset. It makes one only where mayCreate allows it.
func (o Options) load(mayCreate bool) (k *keys, created bool, err error) {
	if o.Keyset != "" {
		if k, err = parseKeys([]byte(o.Keyset)); err != nil {
			err = unreadable(settingName, err)
		}
		return k, false, err
	}
	if mayCreate {
		return o.folder().readOrCreate()
	}
	k, err = o.folder().read()
	return k, false, err
}

// open checks the keyset against the row and unwraps the instance's data key.
func open(dir folder, ks *keys, row *instance) (*Keyring, error) {
	if !hmac.Equal(ks.fingerprint, row.fingerprint) {
		return nil, fault.New(fault.Internal, "keyset-wrong", dir.source())
	}
	k := &Keyring{dir: dir}
	k.keys.Store(ks)
	raw, err := k.unwrap(instanceOwner, row.dataKey)
	if err != nil {
		return nil, err
	}
	if k.instance, err = newDataKey(raw); err != nil {
		return nil, err
	}
	return k, nil
}

// readInstance returns nil when there is no row.
func readInstance(ctx context.Context, db *store.DB) (*instance, error) {
	row := &instance{}
	err := db.Read(ctx, func(tx *store.Tx) error { return row.scan(ctx, tx) })
	if errors.Is(err, store.ErrNoRows) {
		return nil, nil
	}
	return row, err
}

func (i *instance) scan(ctx context.Context, tx *store.Tx) error {
	return tx.QueryRow(ctx, `SELECT fingerprint, data_key FROM instance WHERE id = 1`).Scan(&i.fingerprint, &i.dataKey)
}

// claim writes the instance row of an empty database and returns the one that is there afterwards, which is another process's if that
// was faster. A keyset made for a claim that was lost stays on disk: keys are never deleted on a guess.
func claim(ctx context.Context, db *store.DB, ks *keys) (*instance, error) {
	wrapped, err := ks.wrap(instanceOwner, randomKey())
	if err != nil {
		return nil, err
	}
	row := &instance{}
	err = db.Write(ctx, func(tx *store.Tx) error {
		if err := refuseOrphans(ctx, tx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO instance (id, fingerprint, data_key, created_at) VALUES (1, $1, $2, $3)
			ON CONFLICT (id) DO NOTHING`, ks.fingerprint, wrapped, store.Micros(tx.Now()))
		if err != nil {
			return err
		}
		return row.scan(ctx, tx)
	})
	return row, err
}

// refuseOrphans stops a claim on a database that has accounts but lost its instance row: their data was sealed under keys that a new
// keyset does not have. A row that another process wrote meanwhile makes it an ordinary lost claim.
func refuseOrphans(ctx context.Context, tx *store.Tx) error {
	var orphans int64
	err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM (SELECT account_id FROM account
		WHERE NOT EXISTS (SELECT 1 FROM instance) LIMIT 1) a`).Scan(&orphans)
	if err != nil {
		return err
	}
	if orphans > 0 {
		return fault.New(fault.Internal, "instance-missing")
	}
	return nil
}

package contact

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"countersign.dev/account"
	"countersign.dev/base/store"
)

// disputeCodeLife is how long the contact that stood there before can say that the change was not theirs. It is longer
// than the window: an address or a number that is in use no more is looked at late, and the code decides nothing alone.
const disputeCodeLife = 30 * day

// disputeCodes is the number of codes there are: 00000000 to 99999999. With 20 tries of a reference, one that is
// guessed is right in 1 case of 5 million.
var disputeCodes = big.NewInt(100_000_000)

const disputeDigits = 8

// NewDisputeCode makes the code for the message with this reference (in its printed form) that tells the contact which
// stood there before about a change: eight uniform digits. The caller puts it into that message and nowhere else; at
// rest there is only a keyed hash. It touches the account; of one that is being erased nothing is kept.
func (c *Contacts) NewDisputeCode(tx *store.Tx, acc account.Account, w Window, reference string) (code string, expires time.Time) {
	n, err := rand.Int(rand.Reader, disputeCodes) // draws again rather than reduce: no code is likelier than another
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	code = fmt.Sprintf("%0*d", disputeDigits, n)
	expires = tx.Now().Add(disputeCodeLife)
	c.o.Accounts.Touch(tx, acc.ID)
	tx.Later("DELETE FROM dispute_code WHERE account_id = $1 AND expires_at <= $2", acc.ID, store.Micros(tx.Now()))
	tx.Later(`INSERT INTO dispute_code (account_id, reference, change_id, hash, expires_at)
		SELECT account_id, $3, change_id, $4, $5 FROM contact_change WHERE account_id = $1 AND change_id = $2`,
		acc.ID, w.ID, reference, c.hashDisputeCode(reference, code), store.Micros(expires))
	return code, expires
}

func (c *Contacts) hashDisputeCode(reference, code string) []byte {
	return c.o.Keys.MAC("dispute-code", reference, code)
}

const byCodeQuery = "SELECT dispute_code.hash, dispute_code.expires_at, " + disputableColumns + ` FROM dispute_code
	JOIN contact_change ON contact_change.account_id = dispute_code.account_id
		AND contact_change.change_id = dispute_code.change_id` + joinDispute + `
	WHERE dispute_code.reference = $1`

// byCode returns the change that a reference and a code are for; the error is store.ErrNoRows for a wrong code as for
// a reference that there is not.
func (c *Contacts) byCode(ctx context.Context, tx *store.Tx, reference, code string) (found disputable, err error) {
	typed := c.hashDisputeCode(reference, code)
	var hash []byte
	var expires int64
	err = tx.QueryRow(ctx, byCodeQuery, reference).Scan(append([]any{&hash, &expires}, found.dest()...)...)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return disputable{}, err
	}
	if !c.o.Keys.Equal(typed, hash) || expires <= store.Micros(tx.Now()) {
		return disputable{}, store.ErrNoRows
	}
	return found, nil
}

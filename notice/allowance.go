package notice

import (
	"context"
	"time"

	"countersign.dev/base/ratelimit"
)

// mailboxMessages is how many messages about its mailbox an account can cause to one address in a day. Nobody has proved
// that a mailbox is the account's: without a bound, one that is swung there and back writes to a stranger each time. It is
// counted for each account, so that nobody can use up what another account's old mailbox is to be told.
const mailboxMessages = 5

// mayTellMailbox takes one message out of the allowance of an address.
func (t *telling) mayTellMailbox(ctx context.Context, index []byte) (bool, error) {
	wait, err := ratelimit.Take(ctx, t.tx, ratelimit.Limit{
		Key: t.r.o.Keys.MAC("limit-mailbox", t.acc.ID, string(index)), Max: mailboxMessages, Window: 24 * time.Hour,
	})
	return wait == 0, err
}

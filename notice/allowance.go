package notice

import (
	"context"
	"time"

	"countersign.dev/base/ratelimit"
)

// How many critical notices a day are sent, at most. Without a bound, an account that is changed there and back writes
// to the same people each time, and each text message costs.
const (
	mailboxADay  = 5  // to one address as a mailbox of one account
	contactADay  = 10 // to one contact in force of one account, and as many to one that is no longer
	formersADay  = 10 // to all former contacts of one account, that something critical was sent
	strangerADay = 20 // to one address as the new mailbox of any account
)

// mayTell takes a notice out of the allowances of its reader. They are taken one after the other, so that one that
// refuses uses up nothing of those behind it.
func (t *telling) mayTell(ctx context.Context, n Notice) (bool, error) {
	for _, l := range t.allowances(n) {
		if wait, err := ratelimit.Take(ctx, t.tx, l); err != nil || wait > 0 {
			return false, err
		}
	}
	return true, nil
}

// allowances are counted for each account, so that nobody can use up what another account's people are to be told. Only
// a new mailbox has one besides that all accounts share: nobody has proved that it is theirs. What a contact is told as
// one that stands there no more is apart from what it was told before: it has the code to dispute with.
func (t *telling) allowances(n Notice) []ratelimit.Limit {
	limit := func(most int, of ...string) ratelimit.Limit {
		return ratelimit.Limit{Key: t.r.o.Keys.MAC("limit-critical", of...), Max: most, Window: 24 * time.Hour}
	}
	account, address := t.acc.ID, string(n.Index)
	mailbox := limit(mailboxADay, "mailbox", account, address)
	former := limit(contactADay, "former", account, address)
	switch {
	case n.Slot == "" && n.Reader == newOne:
		return []ratelimit.Limit{mailbox, limit(strangerADay, "stranger", address)}
	case n.Slot == "":
		return []ratelimit.Limit{mailbox}
	case t.template == CriticalSent:
		return []ratelimit.Limit{former, limit(formersADay, "formers", account)}
	case n.Reader == oldOne:
		return []ratelimit.Limit{former}
	}
	return []ratelimit.Limit{limit(contactADay, "contact", account, address)}
}

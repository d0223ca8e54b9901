package verify_test

import (
	"testing"
	"time"

	"countersign.dev/base/store"
	"countersign.dev/verify"
)

// The bounds are those of docs/architecture.md; what costs more there shows here first.
func TestHotOperationsKeepToTheirStatements(t *testing.T) {
	onBoth(t, func(b *bench) {
		spend := func(name string, statements, commits int64, do func(*bench)) {
			b.Helper()
			ctx, count := store.WithCount(b.ctx)
			do(b.under(ctx))
			if s, c := count.Statements.Load(), count.Commits.Load(); s > statements || c > commits {
				b.Errorf("%s: %d statements and %d commits, at most %d and %d are allowed", name, s, c, statements, commits)
			} else {
				b.Logf("%s: %d statements, %d commits", name, s, c)
			}
		}
		var v verify.Verification
		spend("start", 8, 1, func(b *bench) { v = b.mustStart(email, verify.Code) })
		code := b.code()
		spend("wrong guess", 3, 1, func(b *bench) { wantFault(b.T, b.check(v.ID, other(code)), "incorrect-code") })
		b.clock.Advance(time.Minute)
		spend("resend", 8, 1, func(b *bench) {
			if _, err := b.resend(v.ID); err != nil {
				b.Fatal(err)
			}
		})
		b.code()
		spend("right guess", 7, 2, func(b *bench) {
			if err := b.check(v.ID, code); err != nil {
				b.Fatal(err)
			}
		})
		b.set(seller, email, "new@example.com")
		b.clock.Advance(time.Minute)
		v = b.mustStart(email, verify.Code)
		code = b.code()
		spend("right guess that puts a change in force", 7, 2, func(b *bench) {
			if err := b.check(v.ID, code); err != nil {
				b.Fatal(err)
			}
		})
		b.clock.Advance(time.Minute)
		spend("start by link", 8, 1, func(b *bench) { v = b.mustStart(email, verify.Link) })
		b.link()
		b.clock.Advance(time.Minute)
		spend("resend of a link", 8, 1, func(b *bench) {
			if _, err := b.resend(v.ID); err != nil {
				b.Fatal(err)
			}
		})
		token := b.link()
		spend("account and its pending verifications", 2, 0, func(b *bench) { b.pending(seller) })
		spend("account and one of its verifications", 2, 0, func(b *bench) {
			if _, err := b.forHolder(seller, v.ID); err != nil {
				b.Fatal(err)
			}
		})
		spend("link that is opened", 2, 0, func(b *bench) { b.mustOpen(token) })
		spend("link that is confirmed", 7, 1, func(b *bench) {
			if err := b.confirm(token); err != nil {
				b.Fatal(err)
			}
		})
		v = b.mustStart(phone, verify.SMS)
		code = b.code()
		b.clock.Advance(time.Minute)
		spend("start that supersedes", 8, 1, func(b *bench) { v = b.mustStart(phone, verify.SMS) })
		code = b.code()
		for range 4 {
			wantFault(b.T, b.check(v.ID, other(code)), "incorrect-code")
		}
		spend("guess that exhausts", 6, 2, func(b *bench) { wantFault(b.T, b.check(v.ID, other(code)), "incorrect-code") })
	})
}

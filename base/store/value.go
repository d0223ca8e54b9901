package store

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"time"
)

// Micros is a time in its storage form: microseconds since 1970 in UTC.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// Time is the time, in UTC, that Micros stored.
func Time(us int64) time.Time { return time.UnixMicro(us).UTC() }

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID makes an id of 26 characters in lower-case Crockford base32: 48 bits of milliseconds and 80 random bits. Ids
// sort by the time they were made for; those of one millisecond have no order.
func NewID(at time.Time) string {
	var b [16]byte
	ms := uint64(at.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	_, _ = rand.Read(b[6:]) // never fails
	var out [26]byte
	// 128 bits in groups of five, the first group padded with two zero bits in front.
	acc, bits, next := uint32(0), 2, 0
	for i := range out {
		for bits < 5 {
			acc, bits, next = acc<<8|uint32(b[next]), bits+8, next+1
		}
		bits -= 5
		out[i] = crockford[acc>>bits&31]
	}
	return string(out[:])
}

// Count is how much ran under a context; see WithCount.
type Count struct {
	Statements, Commits atomic.Int64
}

type countKey struct{}

// WithCount has the statements and commits counted of each Write and Read that is called with the context it returns.
// BEGIN, COMMIT and SAVEPOINT are no statements; a merged INSERT is one; a commit that several Writes share counts
// once for each; a Write that runs again counts again.
func WithCount(ctx context.Context) (context.Context, *Count) {
	c := new(Count)
	return context.WithValue(ctx, countKey{}, c), c
}

// counting is the count of a context, nil when there is none.
func counting(ctx context.Context) *Count {
	c, _ := ctx.Value(countKey{}).(*Count)
	return c
}

func (c *Count) statement() {
	if c != nil {
		c.Statements.Add(1)
	}
}

func (c *Count) commit() {
	if c != nil {
		c.Commits.Add(1)
	}
}

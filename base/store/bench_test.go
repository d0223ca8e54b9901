package store

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkWrite is the shape of a hot operation: four reads by key, two updates, three inserts. cpu-µs is the time
// of this process, which on PostgreSQL leaves out the server's.
func BenchmarkWrite(b *testing.B) {
	for _, e := range []Engine{SQLite, PostgreSQL} {
		db := open(b, newURL(b, e))
		const things = 1000
		must(b, db, func(tx *Tx) error {
			for i := range things {
				tx.LaterRow("INSERT INTO thing (id, n, body) VALUES", fmt.Sprintf("thing-%d", i), 0, []byte("0123456789abcdef"))
			}
			return nil
		})
		b.Run(string(e)+"/c=1", func(b *testing.B) {
			measure(b, func() {
				for i := 0; b.Loop(); i++ {
					hotWrite(b, db, fmt.Sprintf("thing-%d", i%things))
				}
			})
		})
		b.Run(string(e)+"/c=16", func(b *testing.B) {
			b.SetParallelism(8)
			measure(b, func() {
				b.RunParallel(func(pb *testing.PB) {
					for i := 0; pb.Next(); i++ {
						hotWrite(b, db, fmt.Sprintf("thing-%d", (i*7919+int(time.Now().UnixNano()))%things))
					}
				})
			})
		})
	}
}

func hotWrite(b *testing.B, db *DB, id string) {
	ctx := b.Context()
	err := db.Write(ctx, func(tx *Tx) error {
		for range 4 {
			var n int64
			var body []byte
			if err := tx.QueryRow(ctx, "SELECT n, body FROM thing WHERE id = $1", id).Scan(&n, &body); err != nil {
				return err
			}
		}
		tx.Later("UPDATE thing SET n = n + 1 WHERE id = $1", id)
		tx.Later("UPDATE thing SET done = $2 WHERE id = $1", id, true)
		for range 3 {
			tx.LaterRow("INSERT INTO thing (id, n, body, note) VALUES", NewID(tx.Now()), 1, []byte("0123456789abcdef"), "note")
		}
		return nil
	})
	if err != nil {
		b.Error(err)
	}
}

func measure(b *testing.B, run func()) {
	b.ReportAllocs()
	before := cpu()
	run()
	b.ReportMetric(float64(cpu()-before)/float64(time.Microsecond)/float64(b.N), "cpu-µs/op")
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

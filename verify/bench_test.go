package verify_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"countersign.dev/account"
	"countersign.dev/apptest"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
	"countersign.dev/contact"
	"countersign.dev/notice"
	"countersign.dev/verify"
)

// mailroom answers for every channel and hands each code to whoever waits for it.
type mailroom struct{ waiting sync.Map }

func (m *mailroom) Send(_ context.Context, msg deliver.Message) deliver.Result {
	if ch, ok := m.waiting.Load(msg.To); ok {
		ch.(chan string) <- sixDigits.FindString(msg.Text)
	}
	return deliver.Result{Outcome: deliver.Accepted, Code: 250}
}

// BenchmarkVerification is one whole verification without HTTP and SMTP: start, the message brought out, check.
// cpu-µs/op is the process's own; PostgreSQL's is not in it.
func BenchmarkVerification(b *testing.B) {
	for _, engine := range []store.Engine{store.SQLite, store.PostgreSQL} {
		for _, workers := range []int{1, 8, 32} {
			b.Run(fmt.Sprintf("%s/c=%d", engine, workers), func(b *testing.B) { benchmark(b, engine, workers) })
		}
	}
}

func benchmark(b *testing.B, engine store.Engine, workers int) {
	ctx := context.Background()
	db := apptest.Open(b, engine, nil)
	keys, _, err := seal.Attach(ctx, db, seal.Options{Dir: b.TempDir() + "/keys"})
	if err != nil {
		b.Fatal(err)
	}
	room := &mailroom{}
	accounts := account.New(account.Options{Keys: keys})
	contacts := contact.New(contact.Options{Keys: keys, Accounts: accounts})
	queue := deliver.New(deliver.Options{DB: db, Senders: map[string]deliver.Sender{deliver.Email: room}})
	notices := notice.New(notice.Options{Keys: keys, Queue: queue, Platform: "Harbourline", Host: "portal.example.com", Accent: "#0b7a75"})
	queue.Composes(notices.Compose)
	if err := notices.Install(ctx, db); err != nil {
		b.Fatal(err)
	}
	verifier := verify.New(verify.Options{DB: db, Keys: keys, Contacts: contacts, Notices: notices, HasRoute: queue.Has, Limits: verify.Default()})
	for i := 0; i < b.N; i += 200 {
		err := db.Write(ctx, func(tx *store.Tx) error {
			for n := i; n < min(i+200, b.N); n++ {
				id := fmt.Sprint("seller-", n)
				if _, _, err := accounts.Put(ctx, tx, account.Input{ID: id, Name: "Lotus Trading", TimeZone: "Asia/Shanghai"}, key); err != nil {
					return err
				}
				if _, _, err := contacts.Set(ctx, tx, id, email, fmt.Sprintf("m%d@example.com", n), "", key); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	running, stop := context.WithCancel(ctx)
	go queue.Run(running)
	var next atomic.Int64
	var all sync.WaitGroup
	before := cpu()
	b.ResetTimer()
	for range workers {
		all.Go(func() {
			for n := next.Add(1) - 1; n < int64(b.N); n = next.Add(1) - 1 {
				code := make(chan string, 1)
				room.waiting.Store(fmt.Sprintf("m%d@example.com", n), code)
				var v verify.Verification
				err := db.Write(ctx, func(tx *store.Tx) (err error) {
					v, err = verifier.Start(ctx, tx, fmt.Sprint("seller-", n), email, verify.Code, key)
					return err
				})
				if err == nil {
					err = verifier.Check(ctx, v.ID, <-code, key, verify.Around{})
				}
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	b.ReportMetric(float64(cpu()-before)/float64(time.Microsecond)/float64(b.N), "cpu-µs/op")
	stop()
	<-queue.Ended()
}

// cpu is the time that this process has spent computing.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

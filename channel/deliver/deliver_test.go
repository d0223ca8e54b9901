package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/base/event"
	"countersign.dev/base/seal"
	"countersign.dev/base/store"
	"countersign.dev/channel/deliver"
)

var morning = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// desk is a queue over one database with a channel that answers as the test says.
type desk struct {
	*testing.T
	db    *store.DB
	clock *apptest.Clock
	queue *deliver.Queue
	keys  *seal.Keyring
	key   seal.DataKey

	mu     sync.Mutex
	answer func(m deliver.Message) deliver.Result
	sent   chan deliver.Message
}

func (d *desk) Send(_ context.Context, m deliver.Message) deliver.Result {
	d.mu.Lock()
	answer := d.answer
	d.mu.Unlock()
	result := answer(m)
	d.sent <- m
	return result
}

func (d *desk) answers(answer func(m deliver.Message) deliver.Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
}

func always(r deliver.Result) func(deliver.Message) deliver.Result {
	return func(deliver.Message) deliver.Result { return r }
}

var accepted = deliver.Result{Outcome: deliver.Accepted, Code: 250}

// compose renders a message from its address and secret; what a notice says is not this package's business.
func (d *desk) compose(_ context.Context, _ *store.Tx, claimed []deliver.Claimed) ([]deliver.Composed, error) {
	composed := make([]deliver.Composed, len(claimed))
	for i := range claimed {
		to, secrets, err := claimed[i].Open(d.key)
		composed[i] = deliver.Composed{Key: d.key, Err: err, To: to, Content: deliver.Content{Text: secrets["code"]}}
	}
	return composed, nil
}

func newDesk(t *testing.T, db *store.DB, clock *apptest.Clock, o deliver.Options) *desk {
	t.Helper()
	keys, _, err := seal.Attach(t.Context(), db, seal.Options{Dir: t.TempDir() + "/keys"})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{T: t, db: db, clock: clock, keys: keys, key: keys.Instance(), sent: make(chan deliver.Message, 4096), answer: always(accepted)}
	o.DB, o.Compose, o.Senders = db, d.compose, map[string]deliver.Sender{deliver.Email: d}
	d.queue = deliver.New(o)
	return d
}

func (d *desk) run(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	go d.queue.Run(ctx)
	stop = func() { cancel(); <-d.queue.Ended() }
	d.Cleanup(stop)
	return stop
}

// add stores n deliveries in one transaction.
func (d *desk) add(n int, life time.Duration) (ids []string) {
	d.Helper()
	err := d.db.Write(d.Context(), func(tx *store.Tx) error {
		ids = ids[:0]
		for i := range n {
			ids = append(ids, d.queue.Add(tx, deliver.Delivery{
				Account: "seller-1", Key: d.key, NoticeID: "n", Slot: "email", Channel: deliver.Email, Form: "email", Class: "code",
				To: fmt.Sprintf("mei+%d@example.com", i), Index: []byte("index"), Secrets: map[string]string{"code": "314159"}, Content: deliver.Content{Text: "314159"},
				ExpiresAt: tx.Now().Add(life),
			}))
		}
		return nil
	})
	if err != nil {
		d.Fatal(err)
	}
	return ids
}

func (d *desk) message() deliver.Message {
	d.Helper()
	select {
	case m := <-d.sent:
		return m
	case <-time.After(20 * time.Second):
		d.Fatal("nothing was sent")
		return deliver.Message{}
	}
}

// await polls a delivery until it has the state; the record is written behind the send.
func (d *desk) await(id string, want func(deliver.View) bool) (v deliver.View) {
	d.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		err := d.db.Read(d.Context(), func(tx *store.Tx) (err error) {
			v, err = deliver.Get(d.Context(), tx, "seller-1", id)
			return err
		})
		if err != nil {
			d.Fatal(err)
		}
		if want(v) {
			return v
		}
	}
	d.Fatalf("the delivery stays %+v", v)
	return v
}

func is(s deliver.State) func(deliver.View) bool {
	return func(v deliver.View) bool { return v.State == s }
}

func (d *desk) events() (types []string) {
	d.Helper()
	err := d.db.Read(d.Context(), func(tx *store.Tx) error {
		events, err := event.OfAccount(d.Context(), tx, "seller-1", "", 100)
		for _, e := range events {
			types = append(types, e.Type)
		}
		return err
	})
	if err != nil {
		d.Fatal(err)
	}
	return types
}

func onBoth(t *testing.T, o deliver.Options, body func(d *desk)) {
	clock := apptest.NewClock(morning)
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) { body(newDesk(t, db, clock, o)) })
}

func TestADeliveryLeavesAfterItsCommit(t *testing.T) {
	onBoth(t, deliver.Options{}, func(d *desk) {
		d.run(d.Context())
		id := d.add(1, time.Hour)[0]
		if m := d.message(); m.To != "mei+0@example.com" || m.DeliveryID != id {
			d.Errorf("sent %s to %s", m.DeliveryID, m.To)
		}
		v := d.await(id, is(deliver.StateAccepted))
		if v.Attempts != 1 || v.Code != 250 {
			d.Errorf("recorded as %+v", v)
		}
		if got := d.events(); len(got) != 1 || got[0] != "delivery.accepted" {
			d.Errorf("events %v", got)
		}
	})
}

// The secret must be in no row once the message has left, or never can.
func TestTheSecretGoesWithTheMessage(t *testing.T) {
	onBoth(t, deliver.Options{}, func(d *desk) {
		d.answers(func(m deliver.Message) deliver.Result {
			if strings.HasPrefix(m.To, "mei+1") {
				return deliver.Result{Outcome: deliver.Refused, Code: 550, Enhanced: "5.1.1", Words: "no such user mei+1@example.com", Recipient: true}
			}
			return accepted
		})
		d.run(d.Context())
		ids := d.add(2, time.Hour)
		d.await(ids[0], is(deliver.StateAccepted))
		v := d.await(ids[1], is(deliver.StateRefused))
		words, err := v.Words(d.key)
		if err != nil || words != "no such user mei+1@example.com" || v.Enhanced != "5.1.1" {
			d.Errorf("the server's words are %q (%v), enhanced %q", words, err, v.Enhanced)
		}
		var left int
		err = d.db.Read(d.Context(), func(tx *store.Tx) error {
			return tx.QueryRow(d.Context(), "SELECT COUNT(*) FROM delivery WHERE payload IS NOT NULL").Scan(&left)
		})
		if err != nil || left != 0 {
			d.Errorf("%d payloads are left (%v)", left, err)
		}
	})
}

func TestATemporaryFailureIsTriedAgain(t *testing.T) {
	onBoth(t, deliver.Options{}, func(d *desk) {
		d.answers(always(deliver.Result{Outcome: deliver.Retry, Code: 451, Enhanced: "4.7.1", Words: "greylisted"}))
		d.run(d.Context())
		id := d.add(1, time.Hour)[0]
		d.message()
		v := d.await(id, func(v deliver.View) bool { return v.Code == 451 })
		if v.State != deliver.StateQueued || !v.DueAt.Equal(morning.Add(15*time.Second)) {
			d.Errorf("after a temporary failure: %+v", v)
		}
		d.answers(always(accepted))
		d.clock.Advance(15 * time.Second)
		d.queue.Poke()
		d.message()
		if v = d.await(id, is(deliver.StateAccepted)); v.Attempts != 2 {
			d.Errorf("%d attempts, want 2", v.Attempts)
		}
	})
}

func TestNothingIsSentAfterItsExpiry(t *testing.T) {
	onBoth(t, deliver.Options{}, func(d *desk) {
		d.answers(always(deliver.Result{Outcome: deliver.Retry, Code: 450}))
		d.run(d.Context())
		id := d.add(1, 40*time.Second)[0]
		d.message()
		d.await(id, func(v deliver.View) bool { return v.Code == 450 })
		d.clock.Advance(15 * time.Second)
		d.queue.Poke()
		d.message()
		v := d.await(id, func(v deliver.View) bool { return v.Attempts == 2 && v.DueAt.Equal(morning.Add(40*time.Second)) })
		d.clock.Set(v.DueAt)
		d.queue.Poke()
		d.await(id, is(deliver.StateExpired))
		select {
		case <-d.sent:
			d.Error("it was sent after its expiry")
		default:
		}
		if got := d.events(); len(got) != 1 || got[0] != "delivery.expired" {
			d.Errorf("events %v", got)
		}
	})
}

// A process that dies with messages under way leaves leases behind; another takes over when they lapse.
func TestALapsedLeaseIsTakenOver(t *testing.T) {
	clock := apptest.NewClock(morning)
	apptest.EnginesAt(t, clock, func(t *testing.T, db *store.DB) {
		dead := newDesk(t, db, clock, deliver.Options{})
		block := make(chan struct{})
		dead.answers(func(deliver.Message) deliver.Result { <-block; return deliver.Result{} })
		ctx, cancel := context.WithCancel(t.Context())
		go dead.queue.Run(ctx)
		id := dead.add(1, time.Hour)[0]
		dead.await(id, func(v deliver.View) bool { return v.Attempts == 1 })
		cancel() // it claims no more, and hangs with what it has

		alive := &desk{T: t, db: db, clock: clock, key: dead.key, sent: make(chan deliver.Message, 8), answer: always(accepted)}
		alive.queue = deliver.New(deliver.Options{DB: db, Compose: alive.compose, Senders: map[string]deliver.Sender{deliver.Email: alive}})
		alive.run(t.Context())
		clock.Advance(89 * time.Second)
		alive.queue.Poke()
		if v := alive.await(id, func(deliver.View) bool { return true }); v.Attempts != 1 {
			t.Errorf("taken over while the lease stands")
		}
		clock.Advance(time.Second)
		alive.queue.Poke()
		alive.message()
		alive.await(id, is(deliver.StateAccepted))
		close(block)
		<-dead.queue.Ended()
		if v := alive.await(id, func(deliver.View) bool { return true }); v.State != deliver.StateAccepted {
			t.Errorf("the late answer of the other process made it %s", v.State)
		}
	})
}

// Alone on its database, a process waits for no lease of the one before it.
func TestAloneALeaseBindsNobody(t *testing.T) {
	onBoth(t, deliver.Options{Alone: true}, func(d *desk) {
		id := d.add(1, time.Hour)[0]
		err := d.db.Write(d.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(d.Context(), "UPDATE delivery SET leased_until = due_at + 80000000")
			return err
		})
		if err != nil {
			d.Fatal(err)
		}
		d.run(d.Context())
		d.await(id, is(deliver.StateAccepted))
	})
}

func TestManyAreSentOnceEach(t *testing.T) {
	const n = 1000
	onBoth(t, deliver.Options{}, func(d *desk) {
		d.run(d.Context())
		ids := d.add(n, time.Hour)
		seen := map[string]int{}
		for range n {
			seen[d.message().DeliveryID]++
		}
		for _, id := range ids {
			if seen[id] != 1 {
				d.Fatalf("%s was sent %d times", id, seen[id])
			}
			d.await(id, is(deliver.StateAccepted))
		}
	})
}

// A message that is handed over takes its result and its event, in one commit; one that is claimed also the claim and
// the keys, in one more. The start costs a little: the sweep reads, it may claim in vain what the wake has claimed, and
// the first message comes before anything can be handed over.
func TestHotPathKeepsToItsStatements(t *testing.T) {
	const startStatements, startCommits, composer = 5, 2, 1
	within := func(d *desk, name string, count *store.Count, messages, statements, commits int64) {
		d.Helper()
		s, c := count.Statements.Load(), count.Commits.Load()
		if s > messages*statements+startStatements || c > messages*commits+startCommits {
			d.Errorf("%s: %d messages took %d statements and %d commits; %d and %d each are allowed", name, messages, s, c, statements, commits)
		}
		d.Logf("%s: %d messages, %d statements, %d commits", name, messages, s, c)
	}
	onBoth(t, deliver.Options{Sweep: time.Hour}, func(d *desk) {
		ctx, count := store.WithCount(d.Context())
		stop := d.run(ctx)
		d.await(d.add(1, time.Hour)[0], is(deliver.StateAccepted)) // it is running now, and takes what is handed over
		for range 19 {
			d.await(d.add(1, time.Hour)[0], is(deliver.StateAccepted))
		}
		stop()
		within(d, "handed over", count, 20, 2, 1)
	})
	onBoth(t, deliver.Options{Sweep: time.Hour}, func(d *desk) {
		ctx, count := store.WithCount(d.Context())
		id := d.add(1, time.Hour)[0]
		stop := d.run(ctx)
		d.await(id, is(deliver.StateAccepted))
		stop()
		within(d, "claimed", count, 1, 4-composer, 2)
	})
}

// What a transaction that fails had reserved is free again.
func TestARollbackGivesItsPlaceBack(t *testing.T) {
	onBoth(t, deliver.Options{}, func(d *desk) {
		d.run(d.Context())
		d.await(d.add(1, time.Hour)[0], is(deliver.StateAccepted))
		refused := errors.New("no")
		for range 300 { // more than there is room for
			err := d.db.Write(d.Context(), func(tx *store.Tx) error {
				d.queue.Add(tx, deliver.Delivery{Account: "seller-1", Key: d.key, Channel: deliver.Email, ExpiresAt: tx.Now().Add(time.Hour)})
				return refused
			})
			if !errors.Is(err, refused) {
				d.Fatal(err)
			}
		}
		v := d.await(d.add(1, time.Hour)[0], is(deliver.StateAccepted))
		if v.Attempts != 1 {
			d.Errorf("%d attempts, want 1", v.Attempts)
		}
	})
}

func TestTheQueueIsReadByIndex(t *testing.T) {
	apptest.Engines(t, func(t *testing.T, db *store.DB) {
		for query, args := range map[string][]any{
			deliver.DueQuery:      {int64(1), 10},
			deliver.FinishedQuery: {int64(1)},
			"UPDATE delivery SET leased_until = 1 WHERE (account_id, delivery_id) IN (VALUES ('a', 'b')) AND state = 'queued' AND due_at <= 2": nil,
		} {
			plan, err := db.Explain(t.Context(), query, args...)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "SCAN delivery\n") {
				t.Errorf("no index serves %q:\n%s", query, plan)
			}
		}
	})
}

// A slow mail server makes messages wait in this process. One that has waited for longer than its lease belongs to
// whoever claims it next: sent by both, it would come twice.
func TestAMessageThatOutwaitedItsLeaseIsSentOnce(t *testing.T) {
	onBoth(t, deliver.Options{Workers: 1}, func(d *desk) {
		block, first := make(chan struct{}), make(chan string, 1)
		d.answers(func(m deliver.Message) deliver.Result {
			select {
			case first <- m.DeliveryID:
				<-block
			default:
			}
			return accepted
		})
		d.run(d.Context())
		ids := d.add(2, time.Hour)
		slow := <-first
		late := ids[0]
		if slow == late {
			late = ids[1]
		}
		d.await(late, func(v deliver.View) bool { return v.Attempts == 1 }) // it waits behind the first
		d.clock.Advance(2 * time.Minute)
		first <- "" // nobody is slow any more
		close(block)
		d.await(slow, is(deliver.StateAccepted))
		d.queue.Poke()
		if v := d.await(late, is(deliver.StateAccepted)); v.Attempts != 2 {
			d.Errorf("%d attempts, want 2: the first one's lease had ended", v.Attempts)
		}
		seen := map[string]int{}
		for n := len(d.sent); n > 0; n-- {
			seen[d.message().DeliveryID]++
		}
		if seen[late] != 1 {
			d.Errorf("it was sent %d times", seen[late])
		}
	})
}

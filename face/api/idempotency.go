package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/face/web"
)

// A POST with an Idempotency-Key is done once. In the transaction that does it, the status and the ids of what it made are kept for
// a day, under keyed hashes of the key and of the request; nothing of the bodies is. The same request is answered again with that
// status and with the thing as it stands by then. Only what got as far as an answer of the feature is kept: a request that was
// refused before (by its form, its scope or a limit) runs afresh.

const (
	keptFor     = 24 * time.Hour
	maxKeyChars = 255
)

// kept is what stays of a request that was done.
type kept struct {
	status  int
	problem string // the id of the fault that it was answered with
	subject string // ids of what it made, and numbers
}

// errDone says that the request was done before, here or on another node at the same moment.
var errDone = errors.New("api: this request was done before")

// mark is a request's Idempotency-Key. A nil mark is that of a request without one: it finds and keeps nothing.
type mark struct {
	key, request []byte
	running      *running
	kept         bool // by this request
}

// mark reads the request's Idempotency-Key and takes it until release.
//
// Faults: Malformed "idempotency-key-too-long", "idempotency-key-characters"; Conflict "in-progress".
func (s *server) mark(c *call, body []byte) (*mark, error) {
	if !c.marked {
		return nil, nil
	}
	switch {
	case len(c.idempotencyKey) > maxKeyChars:
		return nil, fault.New(fault.Malformed, "idempotency-key-too-long", maxKeyChars).At("Idempotency-Key")
	case c.idempotencyKey == "", strings.ContainsFunc(c.idempotencyKey, func(r rune) bool { return r < ' ' || r > '~' }):
		return nil, fault.New(fault.Malformed, "idempotency-key-characters").At("Idempotency-Key")
	}
	m := &mark{
		key:     s.o.Keys.MAC("idempotency-key", c.key.ID, c.idempotencyKey),
		request: s.o.Keys.MAC("idempotency-request", c.method, c.path, string(body)),
		running: &s.running,
	}
	if !s.running.take(m.key) {
		return nil, fault.New(fault.Conflict, "in-progress")
	}
	return m, nil
}

func (m *mark) release() {
	if m != nil {
		m.running.leave(m.key)
	}
}

// first returns errDone when the request was done before. It is the first statement of what does the request.
func (m *mark) first(ctx context.Context, tx *store.Tx) error {
	if m == nil {
		return nil
	}
	_, err := m.find(ctx, tx)
	switch {
	case err == nil:
		return errDone
	case errors.Is(err, store.ErrNoRows):
		return nil
	}
	return err
}

// find returns what was kept, or store.ErrNoRows.
//
// Faults: Invalid "idempotency-mismatch".
func (m *mark) find(ctx context.Context, tx *store.Tx) (k kept, err error) {
	var request []byte
	err = tx.QueryRow(ctx, "SELECT request, status, problem, subject FROM idempotency WHERE key = $1 AND created_at > $2",
		m.key, store.Micros(tx.Now().Add(-keptFor))).Scan(&request, &k.status, &k.problem, &k.subject)
	if err == nil && string(request) != string(m.request) {
		err = fault.New(fault.Invalid, "idempotency-mismatch").At("Idempotency-Key")
	}
	return k, err
}

// keep notes that the request is done. A twin on another node that was faster makes it errDone, and what the transaction did is
// undone. A row that is past its time gives way.
func (m *mark) keep(ctx context.Context, tx *store.Tx, k kept) error {
	if m == nil {
		return nil
	}
	n, err := tx.Exec(ctx, `INSERT INTO idempotency (key, request, status, problem, subject, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (key) DO UPDATE SET request = excluded.request, status = excluded.status, problem = excluded.problem,
			subject = excluded.subject, created_at = excluded.created_at
		WHERE idempotency.created_at <= $7`,
		m.key, m.request, k.status, k.problem, k.subject, store.Micros(tx.Now()), store.Micros(tx.Now().Add(-keptFor)))
	if err == nil && n == 0 {
		err = errDone
	}
	m.kept = err == nil
	return err
}

// keepAnswer notes how a feature answered. A defect of ours is no answer.
func (m *mark) keepAnswer(ctx context.Context, tx *store.Tx, subject string, status int, answer error) error {
	k := kept{status: status, subject: subject}
	if answer != nil {
		f := fault.From(answer)
		if f.Kind == fault.Internal {
			return nil
		}
		k.status, k.problem = web.Status(f.Kind), f.ID
	}
	return m.keep(ctx, tx, k)
}

// answer is a reply to a POST.
type answer[T any] struct {
	Status   int
	Replayed string `header:"Idempotency-Replayed" doc:"true when the request was done before, and nothing was done now."`
	Body     T
}

// create does a POST in one transaction, or answers again what it answered before. do returns what it made and the ids of it;
// again returns it as it stands.
func create[T any](ctx context.Context, s *server, raw []byte, status int,
	do func(tx *store.Tx) (made T, subject string, err error), again func(tx *store.Tx, k kept) (T, error),
) (*answer[T], error) {
	m, err := s.mark(callOf(ctx), raw)
	if err != nil {
		return nil, err
	}
	defer m.release()
	a := &answer[T]{Status: status}
	err = s.o.DB.Write(ctx, func(tx *store.Tx) error {
		err := m.first(ctx, tx)
		if err != nil {
			return err
		}
		var subject string
		if a.Body, subject, err = do(tx); err != nil {
			return err
		}
		return m.keep(ctx, tx, kept{status: status, subject: subject})
	})
	if s.doneBefore(ctx, m, err) {
		return replay(ctx, s, m, again)
	}
	return a, err
}

// createApart is create for a feature that makes its own transactions. What it answered is kept after them, a refusal too: when the
// process dies in between, the request is done again, and do must bear that.
func createApart[T any](ctx context.Context, s *server, raw []byte, status int,
	do func() (made T, subject string, err error), again func(tx *store.Tx, k kept) (T, error),
) (*answer[T], error) {
	m, err := s.mark(callOf(ctx), raw)
	if err != nil {
		return nil, err
	}
	defer m.release()
	a := &answer[T]{Status: status}
	if err = s.o.DB.Read(ctx, func(tx *store.Tx) error { return m.first(ctx, tx) }); err == nil {
		var subject string
		a.Body, subject, err = do()
		err = s.settle(ctx, m, kept{status: status, subject: subject}, err)
	}
	if !s.doneBefore(ctx, m, err) {
		return a, err
	}
	return replay(ctx, s, m, func(tx *store.Tx, k kept) (T, error) {
		if k.problem != "" {
			return *new(T), k.refusal()
		}
		return again(tx, k)
	})
}

// settle keeps how a request was answered, and returns that answer. A defect of ours is no answer.
func (s *server) settle(ctx context.Context, m *mark, k kept, answer error) error {
	f := fault.From(answer)
	if m == nil || f != nil && f.Kind == fault.Internal {
		return answer
	}
	if f != nil {
		k = refused(f)
	}
	if err := s.o.DB.Write(ctx, func(tx *store.Tx) error { return m.keep(ctx, tx, k) }); err != nil {
		return err
	}
	return answer
}

// refused is what is kept of a refusal: in place of ids the field and the numbers that fill its text.
func refused(f *fault.Error) kept {
	subject := fmt.Sprintln(append([]any{f.Field}, f.Args...)...)
	return kept{status: web.Status(f.Kind), problem: f.ID, subject: strings.TrimSuffix(subject, "\n")}
}

// refusal is the fault that a request was refused with.
func (k kept) refusal() error {
	field, numbers, _ := strings.Cut(k.subject, " ")
	f := fault.New(web.Kind(k.status), k.problem).At(field)
	for text := range strings.FieldsSeq(numbers) {
		n, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		f.Args = append(f.Args, n)
	}
	return f
}

// doneBefore tells whether a request ended with err because it was done before. A twin on another node may have done it while this
// one was under way: then the feature refuses what came second (too soon, already used), and that is not the answer.
func (s *server) doneBefore(ctx context.Context, m *mark, err error) bool {
	switch {
	case errors.Is(err, errDone):
		return true
	case err == nil, m == nil, m.kept, fault.From(err).Kind == fault.Internal:
		return false
	}
	return s.o.DB.Read(ctx, func(tx *store.Tx) error {
		_, err := m.find(ctx, tx)
		return err
	}) == nil
}

// replay answers a request that was done before.
func replay[T any](ctx context.Context, s *server, m *mark, again func(tx *store.Tx, k kept) (T, error)) (*answer[T], error) {
	a := &answer[T]{Replayed: "true"}
	err := s.o.DB.Read(ctx, func(tx *store.Tx) error {
		k, err := m.find(ctx, tx)
		if err != nil {
			return err
		}
		a.Status = k.status
		if a.Body, err = again(tx, k); err != nil {
			return failed{gone(err), true}
		}
		return nil
	})
	return a, err
}

// gone is the answer about a thing that was made once and is no more.
func gone(err error) error {
	if f := fault.From(err); f != nil && f.Kind == fault.NotFound {
		return fault.New(fault.Gone, "idempotency-gone")
	}
	return err
}

// SweepIdempotency forgets what was kept long enough, at most limit rows, and returns how many there were.
func SweepIdempotency(ctx context.Context, db *store.DB, limit int) (int, error) {
	var n int64
	err := db.Write(ctx, func(tx *store.Tx) (err error) {
		n, err = tx.Exec(ctx, `DELETE FROM idempotency WHERE key IN (
				SELECT key FROM idempotency WHERE created_at <= $1 ORDER BY created_at LIMIT $2)`,
			store.Micros(tx.Now().Add(-keptFor)), limit)
		return err
	})
	return int(n), err
}

// running are the marks of requests under way on this node.
type running struct {
	mu   sync.Mutex
	keys map[string]struct{}
}

func (r *running) take(key []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, busy := r.keys[string(key)]; busy {
		return false
	}
	if r.keys == nil {
		r.keys = map[string]struct{}{}
	}
	r.keys[string(key)] = struct{}{}
	return true
}

func (r *running) leave(key []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.keys, string(key))
}

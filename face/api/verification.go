package api

import (
	"context"
	"net/http"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/store"
	"countersign.dev/contact"
	"countersign.dev/face/web"
	"countersign.dev/verify"
)

type methodInput struct {
	Method string `json:"method" doc:"code or link for an e-mail address, sms for a phone." example:"sms"`
}

type verificationJSON struct {
	ID          string     `json:"id" example:"01k2x8q4vdn5r3y6w7m9b1c2d4"`
	Account     string     `json:"account" example:"seller-4711"`
	Slot        string     `json:"slot" example:"phone"`
	State       string     `json:"state" enum:"pending,verified,expired,superseded,exhausted,contact_changed" example:"pending"`
	Method      string     `json:"method" enum:"code,link,sms" example:"sms"`
	StartedAt   time.Time  `json:"started_at" example:"2026-03-03T09:30:00Z"`
	ExpiresAt   time.Time  `json:"expires_at" doc:"When the newest code or link stops working." example:"2026-03-03T09:40:00Z"`
	ResendAfter *time.Time `json:"resend_after,omitempty" doc:"When another one can be sent; absent once the verification has ended." example:"2026-03-03T09:30:30Z"`
	GuessesLeft int        `json:"guesses_left" example:"5"`
	Delivery    string     `json:"delivery" doc:"What became of the newest message." enum:"queued,accepted,refused,expired" example:"queued"`
}

func verificationOf(v verify.Verification) verificationJSON {
	out := verificationJSON{
		ID: v.ID, Account: v.Account, Slot: v.Slot.String(), State: string(v.State), Method: string(v.Method),
		StartedAt: v.StartedAt, ExpiresAt: v.ExpiresAt, GuessesLeft: v.GuessesLeft, Delivery: v.Delivery,
	}
	if !v.ResendAfter.IsZero() {
		out.ResendAfter = &v.ResendAfter
	}
	return out
}

// verificationAsItStands answers a request again that was about a verification.
func (s *server) verificationAsItStands(ctx context.Context) func(*store.Tx, kept) (verificationJSON, error) {
	return func(tx *store.Tx, k kept) (verificationJSON, error) {
		v, err := s.o.Verifier.Get(ctx, tx, k.subject)
		return verificationOf(v), err
	}
}

type startVerificationIn struct {
	SlotPath
	Body    methodInput
	RawBody []byte
}

func (s *server) startVerification(ctx context.Context, in *startVerificationIn) (*answer[verificationJSON], error) {
	slot, err := contact.ParseSlot(in.Slot)
	if err != nil {
		return nil, err
	}
	method := verify.Method(in.Body.Method)
	a, err := create(ctx, s, in.RawBody, http.StatusCreated, func(tx *store.Tx) (verificationJSON, string, error) {
		v, err := s.o.Verifier.Start(ctx, tx, in.Account, slot, method, actorOf(ctx))
		return verificationOf(v), v.ID, err
	}, s.verificationAsItStands(ctx))
	if err == nil && a.Replayed == "" {
		s.o.Metrics.started.WithLabelValues(in.Body.Method).Inc()
	}
	return a, err
}

// VerificationPath is the verification in a path.
type VerificationPath struct {
	ID string `path:"id" doc:"The id that starting it answered with." example:"01k2x8q4vdn5r3y6w7m9b1c2d4"`
}

type verificationOut struct {
	Body verificationJSON
}

func (s *server) getVerification(ctx context.Context, in *VerificationPath) (*verificationOut, error) {
	var v verify.Verification
	err := s.o.DB.Read(ctx, func(tx *store.Tx) (err error) {
		v, err = s.o.Verifier.Get(ctx, tx, in.ID)
		return err
	})
	return &verificationOut{verificationOf(v)}, err
}

func (s *server) resendCode(ctx context.Context, in *VerificationPath) (*answer[verificationJSON], error) {
	return create(ctx, s, nil, http.StatusOK, func(tx *store.Tx) (verificationJSON, string, error) {
		v, err := s.o.Verifier.Resend(ctx, tx, in.ID, actorOf(ctx))
		return verificationOf(v), v.ID, err
	}, s.verificationAsItStands(ctx))
}

type codeInput struct {
	Code string `json:"code" doc:"Six digits, as they are typed; spaces and hyphens do not matter." example:"482 915"`
}

type checkCodeIn struct {
	VerificationPath
	Body    codeInput
	RawBody []byte
}

type checkedJSON struct {
	ID    string `json:"id" example:"01k2x8q4vdn5r3y6w7m9b1c2d4"`
	State string `json:"state" enum:"verified" example:"verified"`
}

func (s *server) checkCode(ctx context.Context, in *checkCodeIn) (*answer[checkedJSON], error) {
	m, err := s.mark(callOf(ctx), in.RawBody)
	if err != nil {
		return nil, err
	}
	defer m.release()
	var around verify.Around
	if m != nil {
		around.Count = m.first
		around.Settle = func(ctx context.Context, tx *store.Tx, answer error) error {
			return m.keepAnswer(ctx, tx, in.ID, http.StatusOK, answer)
		}
	}
	err = s.o.Verifier.Check(ctx, in.ID, in.Body.Code, actorOf(ctx), around)
	if s.doneBefore(ctx, m, err) {
		return replay(ctx, s, m, s.checkAsItStands(ctx))
	}
	s.o.Metrics.checked.WithLabelValues(outcome(err)).Inc()
	return &answer[checkedJSON]{Status: http.StatusOK, Body: checkedJSON{in.ID, string(verify.Verified)}}, err
}

// checkAsItStands answers a check again: with what was found then, and the guesses that are left now.
func (s *server) checkAsItStands(ctx context.Context) func(*store.Tx, kept) (checkedJSON, error) {
	return func(tx *store.Tx, k kept) (checkedJSON, error) {
		v, err := s.o.Verifier.Get(ctx, tx, k.subject)
		switch {
		case err != nil:
			return checkedJSON{}, err
		case k.problem == "incorrect-code":
			err = fault.New(fault.Invalid, "incorrect-code", v.GuessesLeft).At("code").With("guesses_left", v.GuessesLeft)
		case k.problem != "":
			err = fault.New(web.Kind(k.status), k.problem)
		}
		return checkedJSON{v.ID, string(v.State)}, err
	}
}

// outcome is the answer to a check as metrics name it: a problem's id, or "verified".
func outcome(err error) string {
	if f := fault.From(err); f != nil {
		return f.ID
	}
	return string(verify.Verified)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"countersign.dev/bench/rig"
)

// drainTime bounds how long the queue may take to empty: a delivery that a killed server had taken is bound by its
// lease.
const drainTime = 60 * time.Second

// audit holds what the server shows against what the workers were answered.
type audit struct {
	client  *rig.Client
	mailbox *rig.Mailbox
	books   []*account

	found   finding
	feed    feed
	letters map[string]int    // by Message-ID without its domain, which is the delivery's id: how often it came
	codes   map[string]string // by recipient: the code in the newest letter
}

// run waits for the queue, then checks everything. A breach is found; an error means that the audit could not be made.
func (a *audit) run(ctx context.Context) (finding, error) {
	if err := a.drain(ctx); err != nil {
		return a.found, err
	}
	a.readLetters()
	if err := a.handIn(ctx); err != nil {
		return a.found, err
	}
	if err := a.catchUp(ctx); err != nil {
		return a.found, err
	}
	for _, acc := range a.books {
		if err := a.account(ctx, acc); err != nil {
			return a.found, err
		}
	}
	a.messages()
	return a.found, nil
}

// drain reads the feed until every message of every verification has ended, within drainTime.
func (a *audit) drain(ctx context.Context) error {
	began := time.Now()
	for {
		if err := a.feed.read(ctx, a.client); err != nil {
			return err
		}
		a.found.drained = time.Since(began)
		if a.feed.empty() && a.feed.has(a.books) {
			return nil
		}
		if a.found.drained > drainTime {
			a.found.breach("the queue is not empty after %v", drainTime)
			return nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

func (a *audit) readLetters() {
	a.letters, a.codes = map[string]int{}, map[string]string{}
	for _, l := range a.mailbox.Letters() {
		delivery, _, _ := strings.Cut(l.ID, "@")
		a.letters[delivery]++
		a.codes[l.To] = l.Code
		if a.letters[delivery] > 1 {
			a.found.repeated++
		}
	}
}

// handIn ends what is still pending with the code that arrived for it.
func (a *audit) handIn(ctx context.Context) error {
	for _, acc := range a.books {
		for _, v := range acc.verifications {
			now, err := a.verification(ctx, v)
			if err != nil {
				return err
			}
			if now.State != "pending" {
				continue
			}
			if err := a.client.Check(ctx, v.id, a.codes[acc.address]); err != nil {
				a.found.breach("verification %s: the code that arrived is refused: %v", v.id, err)
				continue
			}
			v.verified++
		}
	}
	return nil
}

// verification reads one that was answered with 201.
func (a *audit) verification(ctx context.Context, v *verification) (now rig.Verification, err error) {
	err = a.client.Call(ctx, http.MethodGet, "/v1/verifications/"+v.id, nil, &now)
	var p *rig.Problem
	if errors.As(err, &p) {
		a.found.breach("verification %s was answered with 201 and reads %v", v.id, err)
		err = nil
	}
	return now, err
}

// catchUp reads the feed until it has what handIn did. A total would not do: what was done without an answer is in the feed too.
func (a *audit) catchUp(ctx context.Context) error {
	for deadline := time.Now().Add(10 * time.Second); !a.feed.hasVerified(a.books) && time.Now().Before(deadline); {
		if err := a.feed.read(ctx, a.client); err != nil {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// account checks what was answered about one account.
func (a *audit) account(ctx context.Context, acc *account) error {
	if acc.named == 0 {
		return nil // it was never answered
	}
	if err := a.name(ctx, acc); err != nil {
		return err
	}
	state, err := a.contactState(ctx, acc)
	if err != nil {
		return err
	}
	if acc.reachable && state == "" {
		a.found.breach("account %s: its contact was answered with 2xx and is gone", acc.id)
	}
	for _, v := range acc.verifications {
		a.found.verified += min(1, v.verified)
		if v.verified > 1 || a.feed.verified[v.id] > 1 {
			a.found.breach("verification %s was consumed %d times by its answers, %d by its events", v.id, v.verified, a.feed.verified[v.id])
		}
		if a.feed.started[v.id] != 1 || a.feed.resent[v.id] < v.resent {
			a.found.breach("verification %s has %d start and %d resends on record, %d resends were answered",
				v.id, a.feed.started[v.id], a.feed.resent[v.id], v.resent)
		}
		if v.verified == 0 {
			continue
		}
		now, err := a.verification(ctx, v)
		if err != nil {
			return err
		}
		if now.State != "verified" || state != "verified" || a.feed.verified[v.id] != 1 {
			a.found.breach("verification %s was answered with 200: it is %s, its contact %s, with %d events", v.id, now.State, state, a.feed.verified[v.id])
		}
	}
	return nil
}

// name checks that the account has the name that was answered last, or one that was asked for later without an answer.
func (a *audit) name(ctx context.Context, acc *account) error {
	var now struct {
		Name string `json:"name"`
	}
	err := a.client.Call(ctx, http.MethodGet, "/v1/accounts/"+acc.id, nil, &now)
	var p *rig.Problem
	if err != nil && !errors.As(err, &p) {
		return err
	}
	var number int
	if _, scanErr := fmt.Sscanf(now.Name, "Lotus %d", &number); err != nil || scanErr != nil || number < acc.named || number > acc.asked {
		a.found.breach("account %s was answered as number %d and is %q (%v)", acc.id, acc.named, now.Name, err)
	}
	return nil
}

// contactState returns the state of the account's e-mail contact, "" when there is none.
func (a *audit) contactState(ctx context.Context, acc *account) (string, error) {
	var now struct {
		Contacts []struct {
			Slot  string `json:"slot"`
			State string `json:"state"`
		} `json:"contacts"`
	}
	err := a.client.Call(ctx, http.MethodGet, "/v1/accounts/"+acc.id+"/contacts", nil, &now)
	var p *rig.Problem
	if err != nil && !errors.As(err, &p) {
		return "", err
	}
	for _, c := range now.Contacts {
		if c.Slot == "email" {
			return c.State, nil
		}
	}
	return "", nil
}

// messages holds the feed against the mail server's log.
func (a *audit) messages() {
	for delivery := range a.feed.accepted {
		if a.letters[delivery] == 0 {
			a.found.breach("delivery %s counts as accepted and never reached the mail server", delivery)
		}
	}
	for id, sent := range a.feed.sent {
		a.found.messages += sent
		if ended := a.feed.ended[id]; ended != sent {
			a.found.breach("account %s was sent %d messages, %d ended", id, sent, ended)
		}
	}
	a.found.expired = a.feed.expired
	if a.feed.refused > 0 {
		a.found.breach("%d messages ended refused, though the mail server takes everything", a.feed.refused)
	}
}

package outbox_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"countersign.dev/channel/deliver"
	"countersign.dev/channel/outbox"
)

var _ deliver.Sender = outbox.New()

func send(t *testing.T, o *outbox.Outbox, id string) {
	t.Helper()
	if got := o.Send(t.Context(), deliver.Message{DeliveryID: id}).Outcome; got != deliver.Accepted {
		t.Fatalf("outcome %v", got)
	}
}

func TestKeepsWhatWouldHaveLeft(t *testing.T) {
	o := outbox.New()
	before := time.Now()
	o.Send(t.Context(), deliver.Message{
		DeliveryID: "d1", NoticeID: "n1", Reference: "CS-7K3M-9QXT-2V", Channel: "email", To: "mei@example.com", ToName: "Mei",
		Subject: "Confirm", Text: "your code", HTML: "<p>your code", Locale: "en", Class: "code",
	})
	want := []outbox.Message{{
		ID: "d1", Channel: "email", To: "mei@example.com", Subject: "Confirm", Text: "your code", HTML: "<p>your code",
		Notice: "CS-7K3M-9QXT-2V",
	}}
	got := o.Messages()
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(outbox.Message{}, "At")); d != "" {
		t.Error(d)
	}
	if at := got[0].At; at.Before(before.Add(-time.Second)) || at.Location() != time.UTC {
		t.Errorf("at %v", at)
	}
}

func TestNewestFirstAndNoMoreThanKeep(t *testing.T) {
	o := outbox.New()
	if got := o.Messages(); len(got) != 0 {
		t.Fatalf("a new outbox holds %d messages", len(got))
	}
	for i := range outbox.Keep + 3 {
		send(t, o, strconv.Itoa(i))
	}
	got := o.Messages()
	if len(got) != outbox.Keep || got[0].ID != strconv.Itoa(outbox.Keep+2) || got[outbox.Keep-1].ID != "3" {
		t.Errorf("%d messages, from %s to %s", len(got), got[0].ID, got[len(got)-1].ID)
	}
}

func TestWaitReturnsWithTheMessage(t *testing.T) {
	o := outbox.New()
	done := make(chan error)
	go func() { done <- o.Wait(t.Context(), 2) }()
	send(t, o, "a")
	select {
	case err := <-done:
		t.Fatalf("one message was enough: %v", err)
	default:
	}
	send(t, o, "b")
	if err := <-done; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Wait(ctx, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestManySendAtOnce(t *testing.T) {
	o := outbox.New()
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			o.Send(t.Context(), deliver.Message{DeliveryID: strconv.Itoa(i)})
			o.Messages()
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, m := range o.Messages() {
		seen[m.ID] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d of 100 messages are there", len(seen))
	}
}

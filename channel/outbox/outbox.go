// Package outbox stands in for every channel where no real one is set up: it keeps messages in memory instead of sending them.
//
// It is for trying the product out and for tests of the whole program. A message is taken at once and always; the newest [Keep]
// stay, in clear, until the process ends. Face/outbox shows them to whoever may see them.
//
// The package leans on channel/deliver, whose Sender it is.
package outbox

import (
	"context"
	"sync"
	"time"

	"countersign.dev/channel/deliver"
)

// Keep is how many messages an outbox holds; an older one gives way.
const Keep = 500

// Message is one message as it would have left.
type Message struct {
	ID      string    `json:"id"` // the delivery's
	At      time.Time `json:"at"`
	Channel string    `json:"channel"` // "email", "sms" or "voice"
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
	HTML    string    `json:"html"`
	Notice  string    `json:"notice"` // the notice's reference
}

// Outbox keeps messages. It is safe for concurrent use.
type Outbox struct {
	mu    sync.Mutex
	ring  [Keep]Message
	taken int           // messages ever
	more  chan struct{} // closed by the next message
}

// New returns an empty outbox.
func New() *Outbox { return &Outbox{more: make(chan struct{})} }

// Send takes the message.
func (o *Outbox) Send(_ context.Context, m deliver.Message) deliver.Result {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ring[o.taken%Keep] = Message{
		ID: m.DeliveryID, At: time.Now().UTC().Truncate(time.Microsecond), Channel: m.Channel, To: m.To,
		Subject: m.Subject, Text: m.Text, HTML: m.HTML, Notice: m.Reference,
	}
	o.taken++
	close(o.more)
	o.more = make(chan struct{})
	return deliver.Result{Outcome: deliver.Accepted}
}

// Messages returns what is kept, newest first.
func (o *Outbox) Messages() []Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := make([]Message, min(o.taken, Keep))
	for i := range kept {
		kept[i] = o.ring[(o.taken-1-i)%Keep]
	}
	return kept
}

// Wait returns once n messages have been taken since the outbox was made, or with the context's error.
func (o *Outbox) Wait(ctx context.Context, n int) error {
	for {
		o.mu.Lock()
		enough, more := o.taken >= n, o.more
		o.mu.Unlock()
		if enough {
			return nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

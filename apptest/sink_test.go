package apptest_test

import (
	"context"
	"errors"
	"net/smtp"
	"net/textproto"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"countersign.dev/apptest"
)

func send(sink *apptest.Sink, to ...string) error {
	return smtp.SendMail(sink.Addr(), nil, "from@example.com", to, []byte("Subject: x\r\n\r\n.\r\n"))
}

func TestSinkRecords(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	if err := send(sink, "a@example.com", "b@example.com"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	mails, err := sink.Wait(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	mail := mails[0]
	if time.Since(mail.At) > time.Minute {
		t.Errorf("arrived at %v", mail.At)
	}
	mail.At = time.Time{}
	want := apptest.Mail{
		From: "from@example.com", To: []string{"a@example.com", "b@example.com"},
		Data: []byte("Subject: x\r\n\r\n.\r\n"), UTF8: true, Helo: "localhost",
	}
	if diff := cmp.Diff(want, mail); diff != "" {
		t.Error(diff)
	}
	if err := sink.WaitIdle(ctx); err != nil {
		t.Error(err)
	}
	done, stop := context.WithCancel(ctx)
	stop()
	if _, err := sink.Wait(done, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("waited for a mail that nobody sent: %v", err)
	}
}

func TestSinkCounts(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{CountOnly: true})
	if err := send(sink, "a@example.com"); err != nil {
		t.Fatal(err)
	}
	if sink.Count() != 1 || len(sink.Mails()) != 0 {
		t.Errorf("%d counted, %d kept", sink.Count(), len(sink.Mails()))
	}
}

func TestSinkFailsOnRequest(t *testing.T) {
	for name, at := range map[string]apptest.Stage{"MAIL": apptest.AtMail, "RCPT": apptest.AtRcpt, "DATA": apptest.AtData} {
		t.Run(name, func(t *testing.T) {
			sink := apptest.NewSink(t, apptest.SinkOptions{})
			sink.Fail(apptest.Failure{At: at, Code: 550, Enhanced: "5.1.10", Text: "no", Times: 2})
			for range 2 {
				var answer *textproto.Error
				if err := send(sink, "a@example.com"); !errors.As(err, &answer) || answer.Code != 550 || answer.Msg != "5.1.10 no" {
					t.Errorf("got %v", err)
				}
			}
			if err := send(sink, "a@example.com"); err != nil {
				t.Errorf("the failure went on: %v", err)
			}
		})
	}
}

func TestSinkFailsForOneRecipient(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{})
	sink.Fail(apptest.Failure{At: apptest.AtRcpt, To: "Gone@example.com", Code: 550, Enhanced: "5.1.1"})
	if err := send(sink, "a@example.com"); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := send(sink, "gone@example.com"); err == nil {
			t.Error("accepted")
		}
	}
	sink.Heal()
	if err := send(sink, "gone@example.com"); err != nil {
		t.Error(err)
	}
}

func TestSinkDropsAndGreylists(t *testing.T) {
	sink := apptest.NewSink(t, apptest.SinkOptions{Greylist: true})
	var answer *textproto.Error
	if err := send(sink, "a@example.com"); !errors.As(err, &answer) || answer.Code != 451 {
		t.Errorf("got %v", err)
	}
	sink.Fail(apptest.Failure{At: apptest.AtData, Drop: true, Times: 1})
	if err := send(sink, "a@example.com"); err == nil || errors.As(err, &answer) {
		t.Errorf("an answer where the connection should have ended: %v", err)
	}
	if err := send(sink, "a@example.com"); err != nil || sink.Count() != 1 {
		t.Errorf("%v, %d mails", err, sink.Count())
	}
}

package rig

import (
	"errors"
	"net/smtp"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestALetterIsReadAsAPersonDoes(t *testing.T) {
	const quoted = "Message-ID: <d1@platform.example>\r\nContent-Type: multipart/alternative; boundary=\"=_d1\"\r\n\r\n" +
		"--=_d1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
		"Reference CS-7K3M, your code is 04=\r\n8291.\r\n--=_d1\r\nContent-Type: text/html\r\n\r\n<b>999999</b>\r\n--=_d1--\r\n"
	const encoded = "Message-ID: <d2@platform.example>\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n6aqM6K+B56CBIDEyMzQ1NiA=\r\n"
	box, err := OpenMailbox(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	arrival := box.Expect("mei@mail.example")
	for _, content := range []string{quoted, encoded} {
		if err := smtp.SendMail(strings.TrimPrefix(box.URL(), "smtp://"), nil, "a@platform.example", []string{"mei@mail.example"}, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if l := <-arrival; l.ID != "d1@platform.example" || l.Code != "048291" || l.Size != len(quoted) {
		t.Errorf("the first letter reads %+v", l)
	}
	if all := box.Letters(); len(all) != 2 || all[1].ID != "d2@platform.example" || all[1].Code != "123456" {
		t.Errorf("the letters are %+v", all)
	}
	if err := box.Close(); err != nil {
		t.Error(err)
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i)
	}
	for _, tc := range []struct {
		all  []time.Duration
		q    float64
		want time.Duration
	}{
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
		{hundred, 0, 1},
		{hundred[:1], 0.99, 100},
		{nil, 0.5, 0},
	} {
		if got := Quantile(tc.all, tc.q); got != tc.want {
			t.Errorf("quantile %v of %d is %d, want %d", tc.q, len(tc.all), got, tc.want)
		}
	}
}

func TestTablesInBothForms(t *testing.T) {
	table := Table{Head: []string{"engine", "c"}}
	table.Add("sqlite", 8)
	for markdown, want := range map[bool]string{false: "engine  c\nsqlite  8\n", true: "| engine | c |\n| --- | --- |\n| sqlite | 8 |\n"} {
		var b strings.Builder
		if err := table.Print(&b, markdown); err != nil || b.String() != want {
			t.Errorf("markdown %v: %q, %v", markdown, b.String(), err)
		}
	}
}

func TestCPUTimeGrowsWithWork(t *testing.T) {
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 10*time.Second; {
		if now, err := FamilyCPU(os.Getpid()); err != nil || now > before {
			if err != nil {
				t.Error(err)
			}
			return
		}
	}
	t.Error("ten seconds of work took no CPU time")
}

func TestAProblemIsKnownByTheEndOfItsType(t *testing.T) {
	p := newProblem(429, []byte(`{"type":"https://countersign.dev/problems/resend-too-soon","status":429}`))
	if p.ID != "resend-too-soon" || p.Status != 429 {
		t.Errorf("it is %+v", p)
	}
}

func TestEachStopsAtTheFirstFailure(t *testing.T) {
	var done atomic.Int64
	broken := errors.New("broken")
	err := Each(4, 1000, func(i int) error {
		if done.Add(1); i == 10 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) || done.Load() == 1000 {
		t.Errorf("%d were done: %v", done.Load(), err)
	}
	if err := Each(4, 1000, func(int) error { done.Add(1); return nil }); err != nil || done.Load() < 1000 {
		t.Errorf("%d were done: %v", done.Load(), err)
	}
}

package mail

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"countersign.dev/apptest"
	"countersign.dev/channel/deliver"
)

// typical is a message of the size that a verification has.
func typical() deliver.Message {
	m := message("li@example.com")
	m.Text = strings.Repeat("Harbour Market asks you to confirm this address as your emergency contact.\n", 16)
	m.HTML = "<html><body>" + strings.Repeat("<p style=\"margin:0\">Harbour Market asks you to confirm this address.</p>\n", 40) + "</body></html>\n"
	return m
}

func BenchmarkCompose(b *testing.B) {
	english, chinese := typical(), typical()
	chinese.Subject = "请验证您的紧急联系人"
	chinese.Text = strings.Repeat("海港集市请您确认此地址为您的紧急联系人。\n", 16)
	chinese.HTML = strings.Repeat("<p>海港集市请您确认此地址为您的紧急联系人。</p>\n", 40)
	for name, m := range map[string]deliver.Message{"English": english, "Chinese": chinese} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				compose(m, "notices@harbour.test", "harbour.test", composeTime)
			}
		})
	}
}

func BenchmarkComposeAndSign(b *testing.B) {
	for name, keys := range map[string][]DKIMKey{"Ed25519": testKeys()[:1], "RSA": testKeys()[1:], "both": testKeys()} {
		all, err := signatures(keys, "harbour.test")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := sign(compose(typical(), "notices@harbour.test", "harbour.test", composeTime), all); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The processor time is that of the sender and the sink together.
func BenchmarkSend(b *testing.B) {
	for name, o := range map[string]struct {
		mode apptest.TLSMode
		keys []DKIMKey
	}{"clear": {}, "TLS": {mode: apptest.StartTLS}, "signed": {keys: testKeys()}} {
		b.Run(name, func(b *testing.B) {
			sink := apptest.NewSink(b, apptest.SinkOptions{CountOnly: true, TLS: o.mode})
			options := options(b, sink.URL())
			options.DKIM = o.keys
			s := newSender(b, options)
			m := typical()
			before := processorTime(b)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if r := s.Send(b.Context(), m); r.Outcome != deliver.Accepted {
						b.Errorf("%+v", r)
					}
				}
			})
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

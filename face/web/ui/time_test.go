package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	"countersign.dev/base/i18n"
)

func TestDatesAndMoments(t *testing.T) {
	shanghai := time.FixedZone("Asia/Shanghai", 8*60*60)
	at := time.Date(2026, time.March, 3, 23, 4, 59, 0, time.UTC)
	for _, tc := range []struct {
		l            i18n.Locale
		zone         *time.Location
		date, moment string
	}{
		{i18n.En, nil, "3 March 2026", "3 March 2026, 23:04"},
		{i18n.Zh, nil, "2026年3月3日", "2026年3月3日 23:04"},
		{i18n.En, shanghai, "4 March 2026", "4 March 2026, 07:04"},
		{i18n.Zh, shanghai, "2026年3月4日", "2026年3月4日 07:04"},
	} {
		p := Page{Locale: tc.l, Zone: tc.zone}
		if p.Date(at) != tc.date || p.Moment(at) != tc.moment {
			t.Errorf("%s: %s, %s", tc.l, p.Date(at), p.Moment(at))
		}
	}
}

func TestAgoAndIn(t *testing.T) {
	now := time.Date(2026, time.March, 3, 7, 4, 0, 0, time.UTC)
	en, zh := Page{Locale: i18n.En, Now: now}, Page{Locale: i18n.Zh, Now: now}
	for _, tc := range []struct {
		d           time.Duration
		ago, in     string
		zhAgo, zhIn string
	}{
		{d: 0, ago: "just now", in: "now", zhAgo: "刚刚", zhIn: "现在"},
		{d: time.Second, ago: "just now", in: "in 1 second", zhAgo: "刚刚", zhIn: "1 秒后"},
		{d: 59 * time.Second, ago: "just now", in: "in 59 seconds", zhAgo: "刚刚", zhIn: "59 秒后"},
		{d: 59*time.Second + 1, ago: "just now", in: "in 60 seconds", zhAgo: "刚刚", zhIn: "60 秒后"},
		{d: time.Minute, ago: "1 minute ago", in: "in 60 seconds", zhAgo: "1 分钟前", zhIn: "60 秒后"},
		{d: 91 * time.Second, ago: "1 minute ago", in: "in 2 minutes", zhAgo: "1 分钟前", zhIn: "2 分钟后"},
		{d: 59 * time.Minute, ago: "59 minutes ago", in: "in 59 minutes", zhAgo: "59 分钟前", zhIn: "59 分钟后"},
		{d: 60 * time.Minute, ago: "1 hour ago", in: "in 60 minutes", zhAgo: "1 小时前", zhIn: "60 分钟后"},
		{d: 91 * time.Minute, ago: "1 hour ago", in: "in 2 hours", zhAgo: "1 小时前", zhIn: "2 小时后"},
		{d: 24 * time.Hour, ago: "1 day ago", in: "in 24 hours", zhAgo: "1 天前", zhIn: "24 小时后"},
		{d: 37 * time.Hour, ago: "1 day ago", in: "in 2 days", zhAgo: "1 天前", zhIn: "2 天后"},
		{d: 1000 * 24 * time.Hour, ago: "1,000 days ago", in: "in 1,000 days", zhAgo: "1,000 天前", zhIn: "1,000 天后"},
	} {
		if got := en.Ago(now.Add(-tc.d)); got != tc.ago {
			t.Errorf("%s ago: %q, want %q", tc.d, got, tc.ago)
		}
		if got := en.In(now.Add(tc.d)); got != tc.in {
			t.Errorf("in %s: %q, want %q", tc.d, got, tc.in)
		}
		if got := zh.Ago(now.Add(-tc.d)); got != tc.zhAgo {
			t.Errorf("%s ago: %q, want %q", tc.d, got, tc.zhAgo)
		}
		if got := zh.In(now.Add(tc.d)); got != tc.zhIn {
			t.Errorf("in %s: %q, want %q", tc.d, got, tc.zhIn)
		}
	}
	if en.Ago(now.Add(time.Hour)) != "just now" || en.In(now.Add(-time.Hour)) != "now" {
		t.Error("a time on the other side of now reads oddly")
	}
}

// A countdown is right as it comes from the server, and brings the words that the script needs.
func TestCountdown(t *testing.T) {
	now := time.Date(2026, time.March, 3, 7, 4, 0, 0, time.UTC)
	for _, tc := range []struct {
		l    i18n.Locale
		left time.Duration
		text string
		has  []string
	}{
		{i18n.En, 45 * time.Second, "Again in 45 seconds.", []string{`data-left="45000"`, `data-seconds-one="# second"`, `data-minutes-other="# minutes"`, `data-enables="go"`}},
		{i18n.En, 10 * time.Minute, "Again in 10 minutes.", []string{`data-left="600000"`}},
		{i18n.En, -time.Second, "Now.", []string{`data-left="0"`}},
		{i18n.Zh, 45 * time.Second, "Again in 45 秒.", []string{`data-seconds-one="# 秒"`, `data-hours-other="# 小时"`}},
	} {
		var b strings.Builder
		in := CountdownInput{Until: now.Add(tc.left), Text: "Again in " + Hole + ".", Done: "Now.", Enables: "go"}
		if err := Countdown(Page{Locale: tc.l, Now: now}, in).Render(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
		for _, want := range append(tc.has, ">"+tc.text+"<") {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s is not in %s", want, b.String())
			}
		}
	}
}

func TestCodesAreGrouped(t *testing.T) {
	for code, want := range map[string]string{"123456": "123\u2009456", "12345678": "1234\u20095678", "1234": "1234", "12345": "12345", "abcdef": "abcdef", "": ""} {
		if got := grouped(code); got != want {
			t.Errorf("grouped(%q) = %q", code, got)
		}
	}
}

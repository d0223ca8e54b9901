package address

import (
	"regexp"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

func TestPhonesThatPeopleWrite(t *testing.T) {
	for _, c := range []struct {
		in, account string
		text        string
		country     string
		line        LineType
	}{
		{"+86 138 0013 8000", "", "+8613800138000", "CN", Mobile},
		{"＋８６　１３８００１３８０００", "", "+8613800138000", "CN", Mobile},
		{"138 0013 8000", "CN", "+8613800138000", "CN", Mobile},
		{"138-0013-8000", "cn", "+8613800138000", "CN", Mobile},
		{"8613800138000", "CN", "+8613800138000", "CN", Mobile},
		{"0086 138 0013 8000", "DE", "+8613800138000", "CN", Mobile},
		{"\u202a+86 138 0013 8000\u202c", "", "+8613800138000", "CN", Mobile},
		{"+86 (0)10 6552 9988", "", "+861065529988", "CN", FixedLine},
		{"010-65529988", "CN", "+861065529988", "CN", FixedLine},
		{"（010）65529988 转 801", "CN", "+861065529988;ext=801", "CN", FixedLine},
		{"010-65529988分机号：８０１", "CN", "+861065529988;ext=801", "CN", FixedLine},
		{"0755 8668 8888", "CN", "+8675586688888", "CN", FixedLine},
		{"400 810 1234", "CN", "+864008101234", "CN", SharedCost},
		{"+86 800 810 1234", "", "+868008101234", "CN", TollFree},
		{"(020) 7946 0000 ext. 12", "GB", "+442079460000;ext=12", "GB", FixedLine},
		{"020 7946 0000 x12", "GB", "+442079460000;ext=12", "GB", FixedLine},
		{"020 7946 0000 (ext 12)", "GB", "+442079460000;ext=12", "GB", FixedLine},
		{"020 7946 0000, extension: 0012", "GB", "+442079460000;ext=0012", "GB", FixedLine},
		{"020 7946 0000 #12", "GB", "+442079460000;ext=12", "GB", FixedLine},
		{"020 7946 0000,,12", "GB", "+442079460000;ext=12", "GB", FixedLine},
		{"+44 (0)20 7946 0000", "US", "+442079460000", "GB", FixedLine},
		{"(+44) 20 7946 0000", "", "+442079460000", "GB", FixedLine},
		{"0044 20 7946 0000", "FR", "+442079460000", "GB", FixedLine},
		{"011 44 20 7946 0000", "US", "+442079460000", "GB", FixedLine},
		{"tel:+44-20-7946-0000;ext=12", "", "+442079460000;ext=12", "GB", FixedLine},
		{"Tel: 020.7946.0000", "GB", "+442079460000", "GB", FixedLine},
		{"07400 123456", "GB", "+447400123456", "GB", Mobile},
		{"0800 123 4567", "GB", "+448001234567", "GB", TollFree},
		{"+44 1534 456789", "", "+441534456789", "JE", FixedLine},
		{"(201) 555-0123", "US", "+12015550123", "US", FixedOrMobile},
		{"1-201-555-0123", "US", "+12015550123", "US", FixedOrMobile},
		{"201.555.0123 Ext 7", "CA", "+12015550123;ext=7", "US", FixedOrMobile},
		{"+1 506-234-5678", "", "+15062345678", "CA", FixedOrMobile},
		{"1 (800) 234-5678", "US", "+18002345678", "US", TollFree},
		{"900 234 5678", "US", "+19002345678", "US", Premium},
		{"0151 23456789", "DE", "+4915123456789", "DE", Mobile},
		{"+49 (0)30 123456", "", "+4930123456", "DE", FixedLine},
		{"030/123456", "DE", "+4930123456", "DE", FixedLine},
		{"090-1234-5678", "JP", "+819012345678", "JP", Mobile},
		{"０３−１２３４−５６７８", "JP", "+81312345678", "JP", FixedLine},
		{"010 44 20 7946 0000", "JP", "+442079460000", "GB", FixedLine},
		{"050-1234-5678", "JP", "+815012345678", "JP", VoIP},
		{"5123 4567", "HK", "+85251234567", "HK", Mobile},
		{"+852 2123 4567", "", "+85221234567", "HK", FixedLine},
		{"081234 56789", "IN", "+918123456789", "IN", Mobile},
		{"+91-74104 10123", "", "+917410410123", "IN", FixedOrMobile},
		{"(11) 96123-4567", "BR", "+5511961234567", "BR", Mobile},
		{"0 15 11 2345-6789", "BR", "+551123456789", "BR", FixedLine}, // by a carrier
		{"٠٥٠١٢٣٤٥٦٧", "AE", "+971501234567", "AE", Mobile},
		{"۰۹۱۲۳۴۵۶۷۸۹", "IR", "+989123456789", "IR", Mobile},
		{"06 1234 5678", "IT", "+390612345678", "IT", FixedLine}, // the 0 stays in Italy
		{"+800 1234 5678", "", "+80012345678", "", TollFree},
		{"070 1234 5678", "GB", "+447012345678", "GB", Personal},
		{"055 1234 5678", "GB", "+445512345678", "GB", UAN},
	} {
		p, err := ParsePhone(c.in, c.account)
		if err != nil {
			t.Errorf("%q in %q: %v", c.in, c.account, err)
			continue
		}
		if p.String() != c.text || p.Country != c.country || p.Line != c.line {
			t.Errorf("%q in %q: %s %s %s, want %s %s %s", c.in, c.account, p, p.Country, p.Line, c.text, c.country, c.line)
		}
		checkPhone(t, p)
	}
}

var refusedPhones = []struct{ in, country, rule string }{
	{"", "CN", "phone-missing"},
	{" tel: ", "", "phone-missing"},
	{"none", "GB", "phone-not-a-number"},
	{"m.li@example.com", "GB", "phone-not-a-number"},
	{"12@example.com", "GB", "phone-not-a-number"},
	{"+86 138 0013 8000\r\nBcc: x", "", "phone-not-a-number"},
	{"+86 138 0013 8000\n", "", "phone-not-a-number"},
	{"+86\x00138 0013 8000", "", "phone-not-a-number"},
	{"++86 138 0013 8000", "", "phone-not-a-number"},
	{"86+138 0013 8000", "", "phone-not-a-number"},
	{"*#06#", "CN", "phone-not-a-number"},
	{"+86 138 \xff 0013", "", "phone-not-a-number"},
	{"+1 800 FLOWERS", "", "phone-letters"},
	{"1-800-XEROX-1", "US", "phone-letters"},
	{"call 020 7946 0000", "GB", "phone-letters"},
	{"tel:7042;phone-context=example.com", "", "phone-tel-parameter"},
	{"tel:+44-20-7946-0000;ext=12;isub=3", "", "phone-tel-parameter"},
	{"138 0013 8000", "", "phone-no-country"},
	{"0044 20 7946 0000", "", "phone-no-country"},
	{"138 0013 8000", "ZZ", "phone-country-unknown"},
	{"138 0013 8000", "001", "phone-country-unknown"},
	{"138 0013 8000", "AQ", "phone-country-unknown"},
	{"+999 1234 5678", "", "phone-calling-code"},
	{"+0044 20 7946 0000", "GB", "phone-calling-code"},
	{"1", "CN", "phone-too-short"},
	{"+86", "", "phone-too-short"},
	{"+86 1", "", "phone-too-short"},
	{"+86 138 12", "", "phone-no-area-code"},
	{"+44 20", "", "phone-too-short"},
	{"020", "GB", "phone-too-short"},
	{"+86 138 0013 8000 0000", "", "phone-too-long"},
	{"020 7946 0000 / 020 7946 0001", "GB", "phone-too-long"},
	{"138 0013 8000", "GB", "phone-too-long"},
	{strings.Repeat("1", 300), "GB", "phone-too-long"},
	{"+44" + strings.Repeat(" ", 1024) + "20 7946 0000", "", "phone-too-long"},
	{"+852 2123 456789", "", "phone-length"},
	{"555-0123", "US", "phone-no-area-code"},
	{"7946 0000", "GB", "phone-no-area-code"},
	{"(155) 555-0123", "US", "phone-other-country"},
	{"0999 999 9999", "GB", "phone-other-country"},
	{"+86 138 0013 800", "CN", "phone-not-in-plan"},
	{"+44 999 999 9999", "", "phone-not-in-plan"},
	{"0044 999 999 9999", "DE", "phone-not-in-plan"},
	{"110", "CN", "phone-short-code"},
	{"120", "CN", "phone-short-code"},
	{"10086", "CN", "phone-short-code"},
	{"95588", "CN", "phone-short-code"},
	{"+86 110", "", "phone-short-code"},
	{"911", "US", "phone-short-code"},
	{"999", "GB", "phone-short-code"},
	{"112", "DE", "phone-short-code"},
	{"119", "JP", "phone-short-code"},
	{"190", "BR", "phone-short-code"},
	{"+49 177 99 1234567", "", "phone-voicemail"},
	{"+44 20 7946 0000 ext. 12a", "", "phone-extension-not-digits"},
	{"+44 20 7946 0000 ext. ABC", "", "phone-extension-not-digits"},
	{"+44 20 7946 0000;ext=", "", "phone-extension-not-digits"},
	{"+44 20 7946 0000 ext. 12345678", "", "phone-extension-too-long"},
}

func TestPhonesThatBreakARule(t *testing.T) {
	for _, c := range refusedPhones {
		p, err := ParsePhone(c.in, c.country)
		refusal{c.in, c.rule}.check(t, err, "value")
		if !p.IsZero() {
			t.Errorf("%q: a value beside the error", c.in)
		}
	}
}

func TestExtensionInAFieldOfItsOwn(t *testing.T) {
	for in, want := range map[string]string{"": "+442079460000", "12": "+442079460000;ext=12", " ００１２ ": "+442079460000;ext=0012", "\u202a 12 \u202c": "+442079460000;ext=12"} {
		p, err := ParsePhoneParts("020 7946 0000", in, "GB")
		if err != nil || p.String() != want {
			t.Errorf("%q: %s, %v; want %s", in, p, err, want)
		}
	}
}

var refusedExtensions = []refusal{
	{"12a", "phone-extension-not-digits"},
	{"ext. 12", "phone-extension-not-digits"},
	{"1\r\n2", "phone-extension-not-digits"},
	{"12345678", "phone-extension-too-long"},
	{strings.Repeat("1", 2000), "phone-extension-too-long"},
	{"\x00", "phone-extension-not-digits"},
	{"13", "phone-two-extensions"},
}

func TestExtensionsThatBreakARule(t *testing.T) {
	for _, c := range refusedExtensions {
		value := "020 7946 0000"
		if c.rule == "phone-two-extensions" {
			value += " ext. 12"
		}
		_, err := ParsePhoneParts(value, c.in, "GB")
		c.check(t, err, "extension")
	}
	_, err := ParsePhoneParts("020", "12", "GB")
	refusal{"020", "phone-too-short"}.check(t, err, "value")
}

func TestMaskedPhones(t *testing.T) {
	for in, want := range map[string]string{
		"+8613800138000":       "+86 138 •••• 8000",
		"+442079460000;ext=12": "+44 20 •••• 0000 ext. ••",
		"+12015550123":         "+1 20 •••• 0123",
		"+85251234567":         "+852 •••• 4567",
		"+4930123456":          "+49 •••• 3456",
		"+29051234":            "+290 •••• 4",
		"+4915123456789":       "+49 151 •••• 6789",
	} {
		p, err := ParsePhone(in, "")
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if p.Masked() != want {
			t.Errorf("%s: %s, want %s", in, p.Masked(), want)
		}
	}
}

func TestDisplayedPhones(t *testing.T) {
	for in, want := range map[string]string{
		"+8613800138000":       "+86 138 0013 8000",
		"+442079460000;ext=12": "+44 20 7946 0000 ext. 12",
		"+12015550123":         "+1 201-555-0123",
	} {
		p, err := ParsePhone(in, "")
		if err != nil || p.Display() != want {
			t.Errorf("%s: %s, %v; want %s", in, p.Display(), err, want)
		}
	}
}

// A number put together from storage is shown even when no plan has it any more.
func TestPhonesOfAnOlderPlan(t *testing.T) {
	for _, p := range []Phone{{E164: "+999123456789"}, {E164: "+447"}, {E164: "+"}, {E164: "x"}, {Extension: "1"}, {}} {
		_ = p.Display() + p.Masked() + p.String()
	}
	old := Phone{E164: "+44999123456789", Extension: "1", Line: Mobile}
	if old.Masked() != "+44 999 •••• 6789 ext. ••" || !strings.HasPrefix(old.Display(), "+44 ") {
		t.Errorf("%s, %s", old.Masked(), old.Display())
	}
	if p := (Phone{}); p.String()+p.Display()+p.Masked()+p.Key() != "" {
		t.Errorf("the zero value shows something: %q", p)
	}
}

func TestCanSMS(t *testing.T) {
	for line, want := range map[LineType]bool{
		Mobile: true, FixedOrMobile: true, VoIP: true, Personal: true, UnknownLine: true,
		FixedLine: false, TollFree: false, Premium: false, SharedCost: false, Pager: false, UAN: false,
	} {
		if line.CanSMS() != want || (Phone{Line: line}).CanSMS() != want {
			t.Errorf("%s: %v", line, !want)
		}
		if (Phone{Line: line, Extension: "1"}).CanSMS() {
			t.Errorf("%s: an SMS dials no extension", line)
		}
	}
}

// What a fault's text shows as an example must itself be accepted.
func TestExamplesAreValid(t *testing.T) {
	for region := range phonenumbers.GetSupportedRegions() {
		p, err := ParsePhone(example(region), "")
		if err != nil {
			t.Errorf("%s: %v", region, err)
			continue
		}
		checkPhone(t, p)
	}
}

var (
	storedForm = regexp.MustCompile(`^\+[1-9][0-9]{2,19}(;ext=[0-9]{1,7})?$`)
	maskedForm = regexp.MustCompile(`^\+[0-9]{1,3} ([0-9]{1,3} )?••••( [0-9]{1,4})?( ext\. ••)?$`)
)

// checkPhone holds what is true of every parsed number.
func checkPhone(t *testing.T, p Phone) {
	t.Helper()
	for _, text := range []string{p.String(), p.Display()} {
		if again, err := ParsePhone(text, ""); err != nil || again != p {
			t.Errorf("%q reads as %v, %v; want %v", text, again, err, p)
		}
	}
	if !storedForm.MatchString(p.String()) || !maskedForm.MatchString(p.Masked()) || strings.ContainsFunc(p.Display(), isControl) {
		t.Errorf("%s, %s, %s", p, p.Display(), p.Masked())
	}
	shown := regexp.MustCompile(`[^0-9]`).ReplaceAllString(p.Masked(), "")
	if len(p.E164)-1-len(shown) < minHidden {
		t.Errorf("%s: %s shows all but %d digits", p, p.Masked(), len(p.E164)-1-len(shown))
	}
}

func FuzzParsePhone(f *testing.F) {
	for _, s := range []string{"+86 138 0013 8000", "(020) 7946 0000 ext. 12", "tel:+44-20-7946-0000;ext=12", "＋８６　１３８００１３８０００", "1-800-XEROX"} {
		f.Add(s, "GB")
		f.Add(s, "")
	}
	for _, c := range refusedPhones {
		f.Add(c.in, c.country)
	}
	f.Fuzz(func(t *testing.T, s, country string) {
		if p, err := ParsePhone(s, country); err == nil {
			checkPhone(t, p)
		}
	})
}

func BenchmarkParsePhone(b *testing.B) {
	for name, s := range map[string]string{"stored": "+8613800138000", "typed": "(020) 7946 0000 ext. 12"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParsePhone(s, "GB"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMaskedPhone(b *testing.B) {
	p := Phone{E164: "+8613800138000"}
	for b.Loop() {
		_ = p.Masked()
	}
}

package ui

import (
	"bytes"
	"image/png"
	"strings"
	"testing"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
)

const square = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 32"><path d="M0 0h64v32H0z" fill="#c00"/></svg>`

func TestNewBrandRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		o      BrandOptions
		id, at string
		says   string
	}{
		"a colour's name":       {BrandOptions{Accent: "navy"}, "accent-invalid", "accent", "#1f5bb5"},
		"three digits":          {BrandOptions{Accent: "#00f"}, "accent-invalid", "accent", ""},
		"yellow":                {BrandOptions{Accent: "#ffcc00"}, "accent-contrast", "accent", "1.51 to 1"},
		"a hair too light":      {BrandOptions{Accent: "#777777"}, "accent-contrast", "accent", "4.47 to 1. To be readable it needs 4.5"},
		"a logo of another age": {BrandOptions{Logo: []byte("GIF89a")}, "logo-malformed", "logo", ""},
		"a huge logo":           {BrandOptions{Logo: bytes.Repeat([]byte(" "), MaxLogo+1)}, "logo-too-large", "logo", "64 kB"},
		"a logo with a script":  {BrandOptions{Logo: []byte(strings.Replace(square, "<path", "<script/><path", 1))}, "logo-invalid", "logo", "<script>"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewBrand(tc.o)
			f := fault.From(err)
			if f == nil || f.ID != tc.id || f.Field != tc.at {
				t.Fatalf("NewBrand: %v, want %s at %s", err, tc.id, tc.at)
			}
			if got := fault.Text(i18n.En, err); !strings.Contains(got, tc.says) {
				t.Errorf("it says %q", got)
			}
		})
	}
}

func TestNewBrandTakes(t *testing.T) {
	for name, o := range map[string]BrandOptions{
		"nothing but a name": {Name: "Harbourline"},
		"black":              {Name: "Harbourline", Accent: "#000000"},
		"the lightest grey":  {Name: "Harbourline", Accent: "#767676"},
		"capitals":           {Name: "Harbourline", Accent: "#0B7A75", Logo: []byte(square)},
	} {
		b, err := NewBrand(o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b.HasLogo() != (len(o.Logo) > 0) || (b.MailLogo() != nil) != b.HasLogo() || b.MailLogoFault() != nil {
			t.Errorf("%s: logo %v, in mails %d bytes, %v", name, b.HasLogo(), len(b.MailLogo()), b.MailLogoFault())
		}
	}
}

func TestHelpURL(t *testing.T) {
	for help, want := range map[string]string{"": "", "help@example.com": "mailto:help@example.com", "https://example.com/help": "https://example.com/help"} {
		if got := (&Brand{Help: help}).HelpURL(); got != want {
			t.Errorf("HelpURL of %q = %q", help, got)
		}
	}
}

func TestMailLogo(t *testing.T) {
	b, err := NewBrand(BrandOptions{Logo: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="10 10 20 10">` +
		`<rect x="10" y="10" width="10" height="10" fill="#ff0000"/><g transform="translate(20 10) scale(5)"><path d="M0 0h1v1H0z" style="fill:#0000ff"/></g></svg>`)})
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b.MailLogo()))
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds(); size.Dx() != 160 || size.Dy() != 80 {
		t.Fatalf("it is %v", size)
	}
	for _, tc := range []struct {
		name    string
		x, y    int
		r, g, b uint32
		a       uint32
	}{
		{"left, in a view box that starts elsewhere", 40, 40, 0xffff, 0, 0, 0xffff},
		{"right, scaled by one number", 100, 20, 0, 0, 0xffff, 0xffff},
		{"nothing", 150, 75, 0, 0, 0, 0},
	} {
		if r, g, b, a := img.At(tc.x, tc.y).RGBA(); r != tc.r || g != tc.g || b != tc.b || a != tc.a {
			t.Errorf("%s: %x %x %x %x", tc.name, r, g, b, a)
		}
	}
}

// A logo that would look otherwise in mails than on pages is left out there, and it is said why.
func TestMailLogoThatCannotBeDrawn(t *testing.T) {
	for name, body := range map[string]string{
		"text":           `<text x="1" y="20">Harbourline</text>`,
		"a mask":         `<mask id="m"><path d="M0 0h9v9z"/></mask><path mask="url(#m)" d="M0 0h9v9z"/>`,
		"nothing at all": `<g/>`,
		"a broken path":  `<path d="M0 0 L"/>`,
	} {
		b, err := NewBrand(BrandOptions{Logo: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 32">` + body + `</svg>`)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b.MailLogo() != nil || !fault.Is(b.MailLogoFault(), "logo-not-drawn") || !b.HasLogo() {
			t.Errorf("%s: %d bytes, %v", name, len(b.MailLogo()), b.MailLogoFault())
		}
	}
}

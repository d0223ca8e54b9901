package ui

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestContrast(t *testing.T) {
	for _, tc := range []struct {
		a, b, want string
	}{ // as the examples of WCAG and its checkers have them
		{"#000000", "#ffffff", "21.00"},
		{"#ffffff", "#ffffff", "1.00"},
		{"#777777", "#ffffff", "4.48"},
		{"#767676", "#ffffff", "4.54"},
		{"#ff0000", "#ffffff", "4.00"},
		{"#0000ff", "#ffffff", "8.59"},
	} {
		a, _ := parseRGB(tc.a)
		b, _ := parseRGB(tc.b)
		if got := fmt.Sprintf("%.2f", contrast(a, b)); got != tc.want {
			t.Errorf("%s on %s: %s, want %s", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestParseRGB(t *testing.T) {
	for s, want := range map[string]bool{
		"#1f5bb5": true, "#FFFFFF": true, "": false, "#fff": false, "1f5bb5": false, "#1f5bb5 ": false, "#1f5bbg": false,
		"#+f5bb5": false, "#12_456": false, "rgb(1,2,3)": false, "#1f5bb5ff": false,
	} {
		c, ok := parseRGB(s)
		if ok != want || ok && !strings.EqualFold(c.String(), s) {
			t.Errorf("parseRGB(%q) = %v, %v", s, c, ok)
		}
	}
}

// Whatever accent is accepted, text of it and text on it can be read in both schemes.
func TestEveryTone(t *testing.T) {
	for r := 0; r < 256; r += 15 {
		for g := 0; g < 256; g += 15 {
			for b := 0; b < 256; b += 15 {
				accent := rgb{uint8(r), uint8(g), uint8(b)}
				if contrast(accent, white) >= minContrast {
					checkPalette(t, accent)
				}
			}
		}
	}
}

func checkPalette(t *testing.T, accent rgb) {
	t.Helper()
	p := newPalette(accent)
	for name, pair := range map[string][2]rgb{
		"button":                    {p.light.on, p.light.fill},
		"button under the pointer":  {p.light.on, p.light.over},
		"link on a card":            {p.light.link, lightSheet},
		"link on the page":          {p.light.link, lightBase},
		"link on the tint":          {p.light.link, p.light.tint},
		"dark button":               {p.dark.on, p.dark.fill},
		"dark button, pointed at":   {p.dark.on, p.dark.over},
		"link on a dark card":       {p.dark.link, darkSheet},
		"link on the dark page":     {p.dark.link, darkBase},
		"link on the dark tint":     {p.dark.link, p.dark.tint},
		"the accent itself in mail": {p.light.fill, white},
	} {
		if got := contrast(pair[0], pair[1]); got < minContrast {
			t.Errorf("accent %s: %s has %.2f (%s on %s)", accent, name, got, pair[0], pair[1])
		}
	}
}

// The tones are computed against the grounds that the style sheet has.
func TestGroundsAreThoseOfTheStyleSheet(t *testing.T) {
	css, err := os.ReadFile("assets/ui.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(css), "prefers-color-scheme: dark")
	if !ok {
		t.Fatal("there is no dark scheme")
	}
	for part, want := range map[string][]string{
		light: {"--base: " + lightBase.String(), "--sheet: " + lightSheet.String()},
		dark:  {"--base: " + darkBase.String(), "--sheet: " + darkSheet.String()},
	} {
		for _, line := range want {
			if !strings.Contains(part, line+";") {
				t.Errorf("the style sheet does not have %s", line)
			}
		}
	}
}

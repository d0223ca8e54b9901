package digits_test

import (
	"strings"
	"testing"

	"countersign.dev/base/digits"
)

func TestReadTakesWhatPeoplePaste(t *testing.T) {
	for typed, want := range map[string]string{
		"48291573":                           "48291573",
		" 4829 1573 ":                        "48291573",
		"4829-1573":                          "48291573",
		"4829\u20111573":                     "48291573",
		"48–29–15–73":                        "48291573",
		"４８２９　１５７３":                          "48291573",
		"４８２９－１５７３\t":                        "48291573",
		"4829\u00a01573\r\n":                 "48291573",
		"4829\u20091573":                     "48291573",
		"00000000":                           "00000000",
		"":                                   "",
		"4829157":                            "",
		"482915734":                          "",
		"4829157a":                           "",
		"4829157\x00":                        "",
		"4829.1573":                          "",
		"٤٨٢٩١٥٧٣":                           "",
		"4829157६":                           "",
		"4829 1573 4829 1573 ":               "",
		"\xff48291573":                       "",
		strings.Repeat(" ", 57) + "48291573": "",
	} {
		code, ok := digits.Read(typed, 8)
		if ok != (want != "") || ok && code != want {
			t.Errorf("%q was read as %q, %v", typed, code, ok)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"123 456", "１２３-456", "12345", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := digits.Read(typed, 6)
		if !ok {
			return
		}
		if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("%q is no code", code)
		}
		if again, ok := digits.Read(code[:3]+"-"+code[3:], 6); !ok || again != code {
			t.Fatalf("%q was read as %q, and that as %q", typed, code, again)
		}
	})
}

package notice_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"countersign.dev/notice"
)

const symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func TestAReferenceLooksAsPublished(t *testing.T) {
	form := regexp.MustCompile(`^CS-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{2}$`)
	seen := map[notice.Reference]bool{}
	for range 10_000 {
		r := notice.NewReference()
		if !form.MatchString(string(r)) || seen[r] {
			t.Fatalf("drew %q", r)
		}
		seen[r] = true
	}
}

func TestAReferenceIsReadAsPeopleTypeIt(t *testing.T) {
	r := notice.NewReference()
	bare := strings.ReplaceAll(strings.TrimPrefix(string(r), "CS-"), "-", "")
	for _, typed := range []string{
		string(r), strings.ToLower(string(r)), bare, " " + bare[:5] + " " + bare[5:] + "\n", "cs" + bare,
		strings.ReplaceAll(strings.ReplaceAll(string(r)[3:], "0", "O"), "1", "l"), strings.ReplaceAll(string(r), "-", "‑"),
	} {
		if got, err := notice.ParseReference(typed); err != nil || got != r {
			t.Errorf("%q reads as %q, %v", typed, got, err)
		}
	}
	for _, typed := range []string{"", "CS", "CS-", bare[:9], bare + "0", "CS-UUUU-UUUU-UU", strings.Repeat("0", 1000)} {
		if _, err := notice.ParseReference(typed); err == nil {
			t.Errorf("%q reads as a reference", typed)
		}
	}
}

// A wrong symbol and two swapped ones are what people mistype.
func TestTheCheckSymbolFindsTypingErrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bare := []byte(strings.ReplaceAll(strings.TrimPrefix(string(notice.NewReference()), "CS-"), "-", ""))
		i := rapid.IntRange(0, len(bare)-1).Draw(t, "place")
		wrong := append([]byte(nil), bare...)
		if rapid.Bool().Draw(t, "swap") {
			j := rapid.IntRange(0, len(bare)-1).Draw(t, "other place")
			wrong[i], wrong[j] = wrong[j], wrong[i]
		} else {
			wrong[i] = symbols[rapid.IntRange(0, 31).Draw(t, "symbol")]
		}
		if string(wrong) == string(bare) {
			return
		}
		if _, err := notice.ParseReference(string(wrong)); err == nil {
			t.Fatalf("%s passes for %s", wrong, bare)
		}
	})
}

func FuzzParseReference(f *testing.F) {
	f.Add("CS-7K3M-9QXT-2V")
	f.Add("cs 7k3m 9qxt 2v")
	f.Fuzz(func(t *testing.T, typed string) {
		r, err := notice.ParseReference(typed)
		if err != nil {
			return
		}
		if again, err := notice.ParseReference(string(r)); err != nil || again != r {
			t.Fatalf("%q reads as %q, %v", r, again, err)
		}
	})
}

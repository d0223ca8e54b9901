package i18n

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Texts that break a rule of TestChineseIsChinese, each with its reason.
var notAsChinese = map[string]string{
	"fault.slot-state-invalid": "shows the half-width colon that is to be typed",
}

var (
	verb          = regexp.MustCompile(`%(\[(\d+)\])?[-+# 0]*\d*(\.\d+)?([a-zA-Z])`)
	han           = regexp.MustCompile(`\p{Han}`)
	halfWidth     = regexp.MustCompile(`\p{Han}[,.;:!?()]`)
	halfWidthStop = regexp.MustCompile(`[.,;!?]$`)
)

func TestLanguagesHaveTheSameTexts(t *testing.T) {
	for _, l := range Locales() {
		for _, other := range Locales() {
			for _, id := range IDs(l) {
				if !Has(other, id) {
					t.Errorf("%s is in %s and not in %s", id, l, other)
				}
			}
		}
	}
}

func TestLanguagesUseTheSameArguments(t *testing.T) {
	for _, id := range IDs(En) {
		want := verbs(bookOf(En).entries[id])
		for _, l := range Locales() {
			got := verbs(bookOf(l).entries[id])
			if Has(l, id) && !slices.Equal(got, want) {
				t.Errorf("%s: %s uses %v, %s uses %v", id, En, want, l, got)
			}
		}
	}
}

func TestVerbsNameTheirArgument(t *testing.T) {
	for _, l := range Locales() {
		for id, e := range bookOf(l).entries {
			used := arguments(e)
			for i, n := range used {
				if n != i+1 {
					t.Errorf("%s %s: arguments %v; each verb names its own, as in %%[1]s, and none is left out", l, id, used)
					break
				}
			}
		}
	}
}

func TestChineseIsChinese(t *testing.T) {
	for id, e := range bookOf(Zh).entries {
		if why := unlikeChinese(e); why != "" && notAsChinese[id] == "" {
			t.Errorf("%s %s: %q", id, why, e.forms)
		}
	}
	for id := range notAsChinese {
		if unlikeChinese(bookOf(Zh).entries[id]) == "" {
			t.Errorf("the exception %s is not needed", id)
		}
	}
}

func unlikeChinese(e entry) string {
	for _, text := range e.forms {
		switch {
		case !han.MatchString(text):
			return "has no Chinese character"
		case halfWidth.MatchString(text):
			return "has half-width punctuation after a Chinese character"
		case halfWidthStop.MatchString(text):
			return "ends in half-width punctuation"
		}
	}
	return ""
}

func TestEnglishIsEnglish(t *testing.T) {
	for id, e := range bookOf(En).entries {
		for _, text := range e.forms {
			if han.MatchString(text) || strings.TrimSpace(text) == "" {
				t.Errorf("%s: %q", id, text)
			}
		}
	}
}

// verbs returns the distinct verbs of a text in all its forms, such as "1d" and "2s", sorted.
func verbs(e entry) []string {
	var found []string
	for _, text := range e.forms {
		for _, m := range verb.FindAllStringSubmatch(strings.ReplaceAll(text, "%%", ""), -1) {
			found = append(found, m[2]+m[4])
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// arguments returns the distinct argument numbers of a text, sorted; a verb that names none counts as 0.
func arguments(e entry) []int {
	var found []int
	for _, v := range verbs(e) {
		n, _ := strconv.Atoi(strings.TrimRight(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
		found = append(found, n)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

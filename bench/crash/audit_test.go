package main

import (
	"strings"
	"testing"
)

// An audit that cannot fail shows nothing.
func TestTheAuditFindsWhatIsMissing(t *testing.T) {
	for name, tc := range map[string]struct {
		feed    []happened
		letters map[string]int
		breach  string
	}{
		"all is well": {
			[]happened{{"verification.started", "a", "v"}, {"delivery.accepted", "a", "d"}}, map[string]int{"d": 2}, "",
		},
		"an accepted message that no server saw": {
			[]happened{{"verification.started", "a", "v"}, {"delivery.accepted", "a", "d"}}, nil, "never reached",
		},
		"a message that did not end": {
			[]happened{{"verification.started", "a", "v"}, {"verification.resent", "a", "v"}, {"delivery.accepted", "a", "d"}},
			map[string]int{"d": 1},
			"2 messages, 1 ended",
		},
		"a message that nobody refused": {
			[]happened{{"verification.started", "a", "v"}, {"delivery.refused", "a", "d"}}, nil, "refused",
		},
		"one that ended expired": {
			[]happened{{"verification.started", "a", "v"}, {"delivery.expired", "a", "d"}}, nil, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := audit{letters: tc.letters, feed: newFeed()}
			for _, e := range tc.feed {
				a.feed.take(e)
			}
			a.messages()
			found := strings.Join(a.found.breaches, "\n")
			if (tc.breach == "") != (found == "") || !strings.Contains(found, tc.breach) {
				t.Errorf("found %q, want %q", found, tc.breach)
			}
		})
	}
}

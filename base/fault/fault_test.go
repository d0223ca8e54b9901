package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"countersign.dev/base/fault"
	"countersign.dev/base/i18n"
)

func TestErrorTextIsForLogs(t *testing.T) {
	plain := fault.New(fault.NotFound, "not-found").At("account").With("secret", "x")
	if got, want := plain.Error(), "not-found not-found"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	caused := fault.New(fault.Unavailable, "unavailable").Because(io.ErrUnexpectedEOF)
	if got, want := caused.Error(), "unavailable unavailable (unexpected EOF)"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

func TestMethodsReturnCopies(t *testing.T) {
	base := fault.New(fault.TooMany, "page-size", 100).With("a", 1)
	more := base.At("page_size").With("b", 2).After(time.Second).Because(io.EOF)

	if base.Field != "" || base.RetryAfter != 0 || errors.Unwrap(base) != nil || len(base.Extra) != 1 {
		t.Errorf("the original changed: %+v", base)
	}
	if more.Field != "page_size" || more.RetryAfter != time.Second || !errors.Is(more, io.EOF) || len(more.Extra) != 2 {
		t.Errorf("the copy lacks something: %+v", more)
	}
}

func TestFrom(t *testing.T) {
	inner := fault.New(fault.Conflict, "in-progress")
	for name, tc := range map[string]struct {
		err  error
		kind fault.Kind
		id   string
	}{
		"a fault":              {inner, fault.Conflict, "in-progress"},
		"a wrapped fault":      {fmt.Errorf("checking: %w", inner), fault.Conflict, "in-progress"},
		"the outermost counts": {fault.New(fault.Gone, "idempotency-gone").Because(inner), fault.Gone, "idempotency-gone"},
		"a foreign error":      {io.EOF, fault.Internal, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			got := fault.From(tc.err)
			if got.Kind != tc.kind || got.ID != tc.id {
				t.Errorf("From = %v %s, want %v %s", got.Kind, got.ID, tc.kind, tc.id)
			}
			if !errors.Is(got, tc.err) && !errors.Is(tc.err, got) {
				t.Error("the cause is lost")
			}
		})
	}
	if fault.From(nil) != nil {
		t.Error("From(nil) is not nil")
	}
}

func TestIs(t *testing.T) {
	err := fmt.Errorf("deep: %w", fault.New(fault.Gone, "idempotency-gone").Because(fault.New(fault.NotFound, "not-found")))
	if !fault.Is(err, "idempotency-gone") {
		t.Error("the outermost fault is not recognised")
	}
	for _, id := range []string{"not-found", "internal", ""} {
		if fault.Is(err, id) || fault.Is(io.EOF, id) || fault.Is(nil, id) {
			t.Errorf("recognised as %q", id)
		}
	}
}

func TestTextHidesWhatIsInside(t *testing.T) {
	for _, l := range i18n.Locales() {
		want := i18n.Text(l, "fault.internal")
		if got := fault.Text(l, errors.New("dial tcp: refused")); got != want {
			t.Errorf("%s: foreign error reads %q, want %q", l, got, want)
		}
	}
	if got := fault.Text(i18n.En, fault.New(fault.Invalid, "page-size", 100)); got != "The page size must be a whole number from 1 to 100, for example 50." {
		t.Errorf("Text = %q", got)
	}
	if got := fault.Text(i18n.En, nil); got != "" {
		t.Errorf("Text(nil) = %q", got)
	}
}

func TestKindNamesAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for k := fault.Internal; k <= fault.Unavailable; k++ {
		name := k.String()
		if name == "" || seen[name] {
			t.Errorf("kind %d is called %q", k, name)
		}
		seen[name] = true
	}
	if got := fault.Kind(200).String(); got != "internal" {
		t.Errorf("an unknown kind is called %q", got)
	}
}

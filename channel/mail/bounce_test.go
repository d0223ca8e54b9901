package mail

import (
	"strings"
	"testing"
	"time"
)

var bounceTime = time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)

func TestReturnPath(t *testing.T) {
	r := returnPath{domain: "bounces.harbour.test", mac: testMAC}
	address := r.address(deliveryID, bounceTime)
	local, _, _ := strings.Cut(address, "@")
	if len(local) > 64 {
		t.Errorf("local part of %d characters", len(local))
	}
	for name, tc := range map[string]struct {
		address string
		now     time.Time
		ok      bool
	}{
		"at once":                 {address, bounceTime, true},
		"in upper case":           {strings.ToUpper(address), bounceTime, true},
		"after ten days":          {address, bounceTime.Add(bounceLife), true},
		"after eleven days":       {address, bounceTime.Add(bounceLife + 24*time.Hour), false},
		"of another domain":       {local + "@example.com", bounceTime, false},
		"of another delivery":     {strings.Replace(address, "01k9", "01k8", 1), bounceTime, false},
		"with a later day":        {strings.Replace(address, ".20", ".30", 1), bounceTime, false},
		"with another code":       {strings.Replace(address, "@", "0@", 1), bounceTime, false},
		"without a code":          {local[:strings.LastIndexByte(local, '.')+1] + "@bounces.harbour.test", bounceTime, false},
		"with a further part":     {"b+a." + address[2:], bounceTime, false},
		"without the prefix":      {address[2:], bounceTime, false},
		"without a domain":        {local, bounceTime, false},
		"empty":                   {"", bounceTime, false},
		"of another installation": {returnPath{domain: r.domain, mac: func(d string, p ...string) []byte { return testMAC("other"+d, p...) }}.address(deliveryID, bounceTime), bounceTime, false},
	} {
		id, ok := r.parse(tc.address, tc.now)
		if ok != tc.ok || ok && id != deliveryID {
			t.Errorf("%s: %q, %v", name, id, ok)
		}
	}
}

// Whatever is accepted was made here: making it again gives the same address.
func FuzzParseBounce(f *testing.F) {
	r := returnPath{domain: "b.test", mac: testMAC}
	f.Add(r.address(deliveryID, bounceTime))
	f.Add("b+" + deliveryID + ".20791.0@b.test")
	f.Fuzz(func(t *testing.T, address string) {
		id, ok := r.parse(address, bounceTime)
		if ok && asciiLower(address) != r.address(id, bounceTime) {
			t.Fatalf("%q was accepted for %q", address, id)
		}
	})
}

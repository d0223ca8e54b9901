// Package apptest holds the real parts that tests run against: both database
// engines, an SMTP server that records and fails on request, a private
// Postfix, and a clock that moves only when told.
//
// Nothing here is a mock. Each part is the genuine thing or speaks its protocol
// on 127.0.0.1 and a port chosen by the system, is ready when its constructor
// returns, and is gone when the test ends. A part that the machine lacks skips
// the test and says what to install; with CI=true it fails the test instead, so
// that a pipeline cannot pass by leaving parts out.
//
// The package is imported by tests only. It leans on base/store and nothing
// else of the product.
package apptest

import (
	"os"
	"testing"
)

// Missing ends the test because a part is not there: a skip on a developer's
// machine, a failure in CI.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

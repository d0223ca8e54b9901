package verify

import (
	"bytes"
	"testing"
	"time"
)

func TestOnlyTheNewestThreeStand(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	hash := func(n int) []byte { return bytes.Repeat([]byte{byte(n)}, hashLen) }
	var live []byte
	for n := range 5 {
		live = addLive(live, hash(n), now.Add(time.Duration(n)*time.Minute))
	}
	for n := range 5 {
		expires, found := findLive(keyring(t), live, hash(n))
		if found != (n >= 2) || found && !expires.Equal(now.Add(time.Duration(n)*time.Minute)) {
			t.Errorf("entry %d: found %v, until %v", n, found, expires)
		}
	}
}

func TestOfTwoAlikeTheNewerCounts(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	same := bytes.Repeat([]byte{7}, hashLen)
	live := addLive(addLive(nil, same, now), same, now.Add(time.Hour))
	if expires, found := findLive(keyring(t), live, same); !found || !expires.Equal(now.Add(time.Hour)) {
		t.Errorf("found %v, until %v", found, expires)
	}
}

func TestNothingStandsWhereNothingWasSent(t *testing.T) {
	for _, live := range [][]byte{nil, {}, make([]byte, entryLen-1)} {
		if _, found := findLive(keyring(t), live, nil); found {
			t.Errorf("found in %d bytes", len(live))
		}
	}
}

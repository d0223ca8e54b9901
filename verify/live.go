package verify

import (
	"encoding/binary"
	"time"

	"countersign.dev/base/seal"
	"countersign.dev/base/store"
)

// A slot's live codes, and a verification's tokens, stand one behind the other, the newest last, each as the end of its
// life in microseconds and its keyed hash.
const (
	hashLen  = 32
	entryLen = 8 + hashLen
	liveMax  = 3
)

// addLive appends a hash and keeps the newest three.
func addLive(live, hash []byte, expires time.Time) []byte {
	entry := binary.BigEndian.AppendUint64(nil, uint64(store.Micros(expires)))
	live = append(append(live[:len(live):len(live)], entry...), hash...)
	if over := len(live) - liveMax*entryLen; over > 0 {
		live = live[over:]
	}
	return live
}

// findLive returns when the life of the newest entry with a hash ends. Every entry is compared whatever came before.
func findLive(k *seal.Keyring, live, hash []byte) (expires time.Time, found bool) {
	for ; len(live) >= entryLen; live = live[entryLen:] {
		if k.Equal(live[8:entryLen], hash) {
			expires, found = store.Time(int64(binary.BigEndian.Uint64(live))), true
		}
	}
	return expires, found
}

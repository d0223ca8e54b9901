package auth

import (
	"sync"
	"time"
)

// maxKnown bounds how many keys are remembered. Nobody but the holder of a good key can fill it.
const maxKnown = 1024

// memory holds the keys that were found good a moment ago, by the hash of their secret.
type memory struct {
	span time.Duration
	mu   sync.Mutex
	era  int // grows with each clear
	keys map[[32]byte]remembered
}

type remembered struct {
	key  Key
	seen time.Time
}

func newMemory(span time.Duration) *memory {
	return &memory{span: span, keys: map[[32]byte]remembered{}}
}

// find returns the key if it is remembered, and the era that a caller who reads it now must give to keep.
func (m *memory) find(hash [32]byte, now time.Time) (k Key, found bool, era int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.keys[hash]
	return r.key, ok && m.fresh(r, now), m.era
}

// fresh is false, too, for what was seen in the future: the clock was set back.
func (m *memory) fresh(r remembered, now time.Time) bool {
	age := now.Sub(r.seen)
	return age >= 0 && age < m.span
}

// keep remembers a key that was read, unless one was revoked since.
func (m *memory) keep(hash [32]byte, k Key, now time.Time, era int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if era != m.era {
		return
	}
	if len(m.keys) >= maxKnown {
		m.makeRoom(now)
	}
	m.keys[hash] = remembered{k, now}
}

// makeRoom forgets what is stale, or any one key when nothing is.
func (m *memory) makeRoom(now time.Time) {
	var one [32]byte
	for hash, r := range m.keys {
		if one = hash; !m.fresh(r, now) {
			delete(m.keys, hash)
		}
	}
	if len(m.keys) >= maxKnown {
		delete(m.keys, one)
	}
}

// clear forgets all keys.
func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.era++
	clear(m.keys)
}

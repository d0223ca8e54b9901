package auth

import (
	"encoding/binary"
	"testing"
	"time"
)

func hashOf(n int) (h [32]byte) {
	binary.LittleEndian.PutUint64(h[:], uint64(n))
	return h
}

func TestMemoryIsBounded(t *testing.T) {
	now := time.Unix(1000, 0)
	m := newMemory(MaxCache)
	for n := range 3 * maxKnown {
		m.keep(hashOf(n), Key{}, now, 0)
		if _, found, _ := m.find(hashOf(n), now); !found {
			t.Fatalf("%d is forgotten at once", n)
		}
		if len(m.keys) > maxKnown {
			t.Fatalf("%d keys are remembered", len(m.keys))
		}
	}
	later := now.Add(MaxCache)
	m.keep(hashOf(-1), Key{}, later, 0)
	if len(m.keys) != 1 {
		t.Errorf("%d keys are remembered when all others are stale", len(m.keys))
	}
}

func TestMemoryKeepsNothingOfAnEarlierEra(t *testing.T) {
	now := time.Unix(1000, 0)
	m := newMemory(MaxCache)
	_, _, era := m.find(hashOf(1), now)
	m.clear()
	m.keep(hashOf(1), Key{}, now, era)
	if _, found, _ := m.find(hashOf(1), now); found {
		t.Error("what was read before a revocation is remembered after it")
	}
}

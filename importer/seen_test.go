package importer

import (
	"fmt"
	"os"
	"testing"
)

func TestSeenIsExactWhileItGrows(t *testing.T) {
	dir := t.TempDir()
	s, err := newSeen(dir)
	if err != nil {
		t.Fatal(err)
	}
	const ids = 3 * firstBuckets * bucketSlots
	for pass := range 2 {
		for n := range ids {
			before, err := s.claim(fmt.Sprint("seller-", n), pass*ids+n+1)
			if want := pass * (n + 1); before != want || err != nil {
				t.Fatalf("pass %d, id %d: stood on line %d, want %d, %v", pass, n, before, want, err)
			}
		}
	}
	if s.buckets <= firstBuckets || s.used != ids {
		t.Errorf("%d of %d used, in %d buckets", s.used, ids, s.buckets)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left behind, %v", left, err)
	}
}

func BenchmarkSeen(b *testing.B) {
	s, err := newSeen(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	n := 0
	for b.Loop() {
		n++
		if _, err := s.claim(fmt.Sprint("seller-", n), n); err != nil {
			b.Fatal(err)
		}
	}
}

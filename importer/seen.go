package importer

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
)

// seen remembers the line on which each account of the file stood first.
//
// It is a hash table in a temporary file, so that it takes no memory however many accounts there are. What it holds are keyed hashes
// of 128 bits under a key that is never written: no id stands in the file, and two ids with the same hash will not be met (among a
// billion ids: 1 in 10^20).
type seen struct {
	dir string
	key []byte
	table
	used int64
}

// table is the file: buckets of slots, a power of two of them, of which at most half are used.
type table struct {
	file    *os.File
	buckets int64
	named   bool // the file still has its name
}

// slot is a hash and the line behind it; a line of 0 is an empty slot.
type slot [slotSize]byte

const (
	hashSize     = 16
	slotSize     = hashSize + 8
	bucketSlots  = 32
	bucketSize   = bucketSlots * slotSize
	firstBuckets = 1 << 11
	growth       = 4
)

func (s *slot) line() int { return int(binary.LittleEndian.Uint64(s[hashSize:])) }

// newSeen makes the file in a folder, "" for the system's.
func newSeen(dir string) (*seen, error) {
	s := &seen{dir: dir, key: make([]byte, 32)}
	_, _ = rand.Read(s.key) // never fails
	var err error
	s.table, err = newTable(dir, firstBuckets)
	return s, err
}

// newTable makes a file of empty slots. Where the system allows it the file loses its name at once, so that nothing of it stays behind
// whatever happens.
func newTable(dir string, buckets int64) (t table, err error) {
	f, err := os.CreateTemp(dir, "countersign-import-*")
	if err != nil {
		return t, err
	}
	t = table{file: f, buckets: buckets, named: os.Remove(f.Name()) != nil}
	if err := f.Truncate(buckets * bucketSize); err != nil {
		return t, errors.Join(err, t.close())
	}
	return t, nil
}

// close removes the file.
func (t table) close() error {
	err := t.file.Close()
	if t.named {
		err = errors.Join(err, os.Remove(t.file.Name()))
	}
	return err
}

// claim notes that the account id stands on a line, and returns the line on which it stood before, 0 if it did not.
func (s *seen) claim(id string, line int) (before int, err error) {
	if 2*s.used >= s.buckets*bucketSlots {
		if err := s.grow(); err != nil {
			return 0, err
		}
	}
	hash := sha256.Sum256(append(s.key, id...))
	mine := slot(hash[:slotSize])
	binary.LittleEndian.PutUint64(mine[hashSize:], uint64(line))
	before, err = s.put(&mine)
	if err == nil && before == 0 {
		s.used++
	}
	return before, err
}

// put writes a slot unless its hash is there already; then it returns the line behind that. A full bucket goes on in the next one.
func (t table) put(mine *slot) (before int, err error) {
	var b [bucketSize]byte
	for n := int64(binary.LittleEndian.Uint64(mine[:8])); ; n++ {
		at := n & (t.buckets - 1) * bucketSize
		if _, err := t.file.ReadAt(b[:], at); err != nil {
			return 0, err
		}
		for i := 0; i < bucketSize; i += slotSize {
			there := (*slot)(b[i:])
			switch {
			case there.line() == 0:
				_, err := t.file.WriteAt(mine[:], at+int64(i))
				return 0, err
			case bytes.Equal(there[:hashSize], mine[:hashSize]):
				return there.line(), nil
			}
		}
	}
}

// grow moves everything to a larger file.
func (s *seen) grow() error {
	larger, err := newTable(s.dir, growth*s.buckets)
	if err != nil {
		return err
	}
	if err := s.copyTo(larger); err != nil {
		return errors.Join(err, larger.close())
	}
	old := s.table
	s.table = larger
	return old.close()
}

func (t table) copyTo(larger table) error {
	b := make([]byte, bucketSize)
	for n := range t.buckets {
		if _, err := t.file.ReadAt(b, n*bucketSize); err != nil {
			return err
		}
		for i := 0; i < bucketSize; i += slotSize {
			one := (*slot)(b[i:])
			if one.line() == 0 {
				break
			}
			if _, err := larger.put(one); err != nil {
				return err
			}
		}
	}
	return nil
}

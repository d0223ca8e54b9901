package main

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// codeHunt is everything among some answers that could be a digest, by its first eight bytes.
type codeHunt struct {
	heads map[uint64]string // where each was read
	maybe []uint64          // a bit for each three bytes that one begins with
}

// What bytes are written as: runs long enough for eight of them.
var (
	inHex    = regexp.MustCompile(`[0-9a-fA-F]{16,}`)
	inBase64 = regexp.MustCompile(`[0-9A-Za-z+/_-]{11,}`)
	inBase32 = regexp.MustCompile(`[0-9A-Za-z]{13,}`)

	crockford = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)
	rfc4648   = base32.StdEncoding.WithPadding(base32.NoPadding)
)

func newCodeHunt(answers map[string]reply) *codeHunt {
	h := &codeHunt{heads: map[uint64]string{}, maybe: make([]uint64, 1<<24/64)}
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		h.read(name, fmt.Sprint(answers[name].header)+"\n"+string(answers[name].raw))
	}
	return h
}

// read takes in every run of a text that may be bytes.
func (h *codeHunt) read(name, text string) {
	for _, run := range inHex.FindAllString(text, -1) {
		for start := range 2 {
			h.decoded(name, hex.DecodeString, run[start:len(run)-(len(run)-start)%2])
		}
	}
	for _, run := range inBase64.FindAllString(text, -1) {
		run = strings.NewReplacer("+", "-", "/", "_").Replace(run)
		for start := range 4 {
			rest := run[start:]
			if len(rest)%4 == 1 {
				rest = rest[:len(rest)-1]
			}
			h.decoded(name, base64.RawURLEncoding.DecodeString, rest)
		}
	}
	for _, run := range inBase32.FindAllString(text, -1) {
		for start := range min(8, len(run)-12) {
			rest := run[start:]
			rest = rest[:len(rest)-len(rest)%8]
			h.decoded(name, crockford.DecodeString, strings.ToLower(rest))
			h.decoded(name, rfc4648.DecodeString, strings.ToUpper(rest))
		}
	}
}

// decoded takes in bytes: a digest could begin at each of them.
func (h *codeHunt) decoded(name string, decode func(string) ([]byte, error), run string) {
	raw, err := decode(run)
	if err != nil {
		return
	}
	for at := 0; at+8 <= len(raw); at++ {
		n := binary.BigEndian.Uint64(raw[at:])
		h.heads[n] = name
		h.maybe[n>>40/64] |= 1 << (n >> 40 % 64)
	}
}

// met returns where something was read that begins like a digest.
func (h *codeHunt) met(sum []byte) (name string) {
	n := binary.BigEndian.Uint64(sum)
	if h.maybe[n>>40/64]&(1<<(n>>40%64)) == 0 {
		return ""
	}
	return h.heads[n]
}

const million = 1_000_000

// try computes the digests of every code, alone and with each word in the ways that people put the two together, and returns those that
// were met.
func (h *codeHunt) try(words []string) (found []string) {
	const workers = 4
	var all sync.WaitGroup
	var mu sync.Mutex
	for w := range workers {
		all.Go(func() {
			t := newTrial(words)
			for n := w; n < million; n += workers {
				t.code(fmt.Appendf(t.text[:0], "%06d", n), func(how string, sum []byte) {
					if name := h.met(sum); name != "" {
						mu.Lock()
						defer mu.Unlock()
						found = append(found, fmt.Sprintf("%s of a code in %s", how, name))
					}
				})
			}
		})
	}
	all.Wait()
	return found
}

// trial computes the digests of one code after the other.
type trial struct {
	text   []byte
	words  []string
	hashes map[string]hash.Hash
	keyed  []hash.Hash // by word: HMAC-SHA-256 under it
	sum    []byte
	joined []byte
}

func newTrial(words []string) *trial {
	t := &trial{words: words, hashes: map[string]hash.Hash{"SHA-256": sha256.New(), "SHA-1": sha1.New(), "MD5": md5.New(), "SHA-512": sha512.New()}}
	for _, word := range words {
		t.keyed = append(t.keyed, hmac.New(sha256.New, []byte(word)))
	}
	return t
}

func (t *trial) code(code []byte, each func(how string, sum []byte)) {
	t.plain(code, each)
	for i, word := range t.words {
		for _, form := range [][3]string{{word, "", "code"}, {word, ":", "code"}, {"code", "", word}, {"code", ":", word}} {
			t.joined = t.joined[:0]
			for _, part := range form {
				if part == "code" {
					t.joined = append(t.joined, code...)
				} else {
					t.joined = append(t.joined, part...)
				}
			}
			t.plain(t.joined, each)
		}
		each("HMAC", t.digest(t.keyed[i], code))
	}
}

func (t *trial) plain(text []byte, each func(how string, sum []byte)) {
	for name, h := range t.hashes {
		each(name, t.digest(h, text))
	}
}

func (t *trial) digest(h hash.Hash, text []byte) []byte {
	h.Reset()
	_, _ = h.Write(text) // a hash never fails
	t.sum = h.Sum(t.sum[:0])
	return t.sum
}

// The hunt finds what somebody would leak by mistake.
func TestTheCodeHuntCanFind(t *testing.T) {
	const id, code = "01k2x8q4vdn5r3y6w7m9b1c2d4", "482915"
	plain, salted := sha256.Sum256([]byte(code)), sha1.Sum([]byte(id+":"+code))
	keyed := hmac.New(sha256.New, []byte(id))
	keyed.Write([]byte(code))
	answers := map[string]reply{
		"hex":     {raw: []byte(`{"proof":"` + hex.EncodeToString(plain[:]) + `"}`)},
		"base64":  {raw: []byte("etag " + base64.StdEncoding.EncodeToString(salted[:10]))},
		"in more": {raw: []byte(`<a href="/x/` + strings.ToLower(crockford.EncodeToString(append([]byte("prefix"), keyed.Sum(nil)...))) + `">`)},
		"header":  {header: http.Header{"Etag": {`"` + hex.EncodeToString(keyed.Sum(nil)[:8]) + `"`}}},
	}
	found := strings.Join(newCodeHunt(answers).try([]string{id}), "\n")
	for _, where := range []string{"SHA-256 of a code in hex", "SHA-1 of a code in base64", "HMAC of a code in in more"} {
		if !strings.Contains(found, where) {
			t.Errorf("%q is not among what was found:\n%s", where, found)
		}
	}
	if found := newCodeHunt(map[string]reply{"nothing": {raw: []byte(id + " " + strings.Repeat("a", 64))}}).try([]string{id}); found != nil {
		t.Errorf("found in nothing: %q", found)
	}
}

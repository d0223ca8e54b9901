package outbox

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

const cookieName = "countersign-outbox"

// door knows the tokens that nobody has used yet and the sessions that they opened, both by their hashes: a look-up in a map tells
// by its time nothing of what it looks for. All of them end with the process.
type door struct {
	mu       sync.Mutex
	tokens   map[[32]byte]bool
	sessions map[[32]byte]bool
}

// issue returns a new token.
func (d *door) issue() string {
	token := secret()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tokens == nil {
		d.tokens, d.sessions = map[[32]byte]bool{}, map[[32]byte]bool{}
	}
	d.tokens[hash(token)] = true
	return token
}

// redeem takes a token, once, and opens a session.
func (d *door) redeem(token string) (session string, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.tokens[hash(token)] {
		return "", false
	}
	delete(d.tokens, hash(token))
	session = secret()
	d.sessions[hash(session)] = true
	return session, true
}

func (d *door) opened(session string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sessions[hash(session)]
}

// secret is 128 random bits.
func secret() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func hash(s string) [32]byte { return sha256.Sum256([]byte(s)) }

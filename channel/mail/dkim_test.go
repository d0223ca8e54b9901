package mail

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"countersign.dev/base/fault"
	"countersign.dev/channel/deliver"
)

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

var ed25519Key = sync.OnceValue(func() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

func testKeys() []DKIMKey {
	return []DKIMKey{
		{Domain: "harbour.test", Selector: "e1", Signer: ed25519Key()},
		{Domain: "harbour.test", Selector: "r1", Signer: rsaKey()},
	}
}

// published answers look-ups with what the keys' zone lines publish.
func published(t testing.TB, keys []DKIMKey) func(name string) ([]string, error) {
	t.Helper()
	zone := map[string]string{}
	for _, k := range keys {
		line, err := DKIMRecord(k)
		if err != nil {
			t.Fatal(err)
		}
		name, text, ok := strings.Cut(line, ". IN TXT ( ")
		if !ok {
			t.Fatalf("not a zone line: %s", line)
		}
		for _, s := range strings.Fields(strings.TrimSuffix(text, " )")) {
			if len(s) > 257 {
				t.Errorf("a string of %d bytes", len(s)-2)
			}
		}
		zone[name] = strings.ReplaceAll(strings.Trim(strings.TrimSuffix(text, " )"), `"`), `" "`, "")
	}
	return func(name string) ([]string, error) {
		if text, ok := zone[name]; ok {
			return []string{text}, nil
		}
		return nil, fmt.Errorf("no record for %s", name)
	}
}

// verified returns how many signatures verify and the first failure.
func verified(t testing.TB, message []byte, keys []DKIMKey) (good int, failure error) {
	t.Helper()
	all, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{LookupTXT: published(t, keys)})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Err == nil {
			good++
		} else if failure == nil {
			failure = v.Err
		}
	}
	return good, failure
}

func TestSignaturesVerify(t *testing.T) {
	keys := testKeys()
	all, err := signatures(keys, "harbour.test")
	if err != nil {
		t.Fatal(err)
	}
	m := message("li@example.com")
	m.Subject, m.Text = "请验证您的紧急联系人", "验证码\n"
	m.Image = &deliver.Image{ID: "logo@countersign", PNG: []byte("the logo")}
	signed, err := sign(compose(m, mailbox("海港集市", "notices@harbour.test"), "harbour.test", composeTime), all)
	if err != nil {
		t.Fatal(err)
	}
	if good, failure := verified(t, signed, keys); good != 2 {
		t.Fatalf("%d of 2 verify: %v\n%s", good, failure, signed)
	}
	for name, changed := range map[string][]byte{
		"a second From":     append([]byte("From: x@evil.test\r\n"), signed...),
		"a second Subject":  append([]byte("Subject: x\r\n"), signed...),
		"a second To":       append([]byte("To: x@evil.test\r\n"), signed...),
		"a Reply-To":        append([]byte("Reply-To: x@evil.test\r\n"), signed...),
		"another body":      bytes.Replace(signed, []byte("493817"), []byte("493818"), 1),
		"another logo":      bytes.Replace(signed, []byte(base64.StdEncoding.EncodeToString([]byte("the logo"))), []byte("AAAA"), 1),
		"another recipient": bytes.Replace(signed, []byte("li@example.com"), []byte("lo@example.com"), 1),
	} {
		if good, _ := verified(t, changed, keys); good != 0 {
			t.Errorf("%s: %d signatures still verify", name, good)
		}
	}
}

func writeKey(t *testing.T, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestLoadDKIMKey(t *testing.T) {
	for name, file := range map[string]string{
		"Ed25519":    writeKey(t, "PRIVATE KEY", pkcs8(t, ed25519Key())),
		"RSA":        writeKey(t, "PRIVATE KEY", pkcs8(t, rsaKey())),
		"RSA, PKCS1": writeKey(t, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())),
	} {
		key, err := LoadDKIMKey("harbour.test", "s1", file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := signatures([]DKIMKey{key}, "mail.harbour.test"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDKIMKeysRefused(t *testing.T) {
	t.Setenv("GODEBUG", "rsa1024min=0")
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for id, file := range map[string]string{
		"dkim-key-short":      writeKey(t, "PRIVATE KEY", pkcs8(t, short)),
		"dkim-key-kind":       writeKey(t, "PRIVATE KEY", pkcs8(t, curve)),
		"dkim-key-unreadable": writeKey(t, "PRIVATE KEY", []byte("x")),
	} {
		if _, err := LoadDKIMKey("harbour.test", "s1", file); !fault.Is(err, id) {
			t.Errorf("%s: got %v", id, err)
		}
	}
	if _, err := LoadDKIMKey("harbour.test", "s1", filepath.Join(t.TempDir(), "absent")); !fault.Is(err, "dkim-key-unreadable") {
		t.Errorf("absent file: %v", err)
	}
	for name, tc := range map[string]struct {
		key DKIMKey
		id  string
	}{
		"no selector":      {DKIMKey{Domain: "harbour.test", Signer: crypto.Signer(ed25519Key())}, "dkim-selector"},
		"another domain":   {DKIMKey{Domain: "example.com", Selector: "s", Signer: ed25519Key()}, "dkim-domain"},
		"a similar domain": {DKIMKey{Domain: "bour.test", Selector: "s", Signer: ed25519Key()}, "dkim-domain"},
	} {
		if _, err := signatures([]DKIMKey{tc.key}, "harbour.test"); !fault.Is(err, tc.id) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

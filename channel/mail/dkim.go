package mail

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// signedFields are the header fields under a signature. Those that a reader judges a message by stand once more than they occur, so
// that a second one added later breaks the signature (RFC 6376, 8.15); so does a Reply-To, which our messages never have.
var signedFields = []string{
	"From", "From", "To", "To", "Subject", "Subject", "Date", "Date", "Message-ID", "Message-ID", "Reply-To",
	"MIME-Version", "Content-Type", "Content-Language", "Auto-Submitted",
}

// DKIMKey signs messages for a domain.
type DKIMKey struct {
	Domain   string        // the signing domain: that of From or one above it
	Selector string        // its public key is published at <selector>._domainkey.<domain>
	Signer   crypto.Signer // Ed25519 (RFC 8463), or RSA of 2048 bits or more (RFC 8301)
}

// LoadDKIMKey reads a private key from a PEM file, PKCS #8 or, for RSA, PKCS #1. Faults: dkim-key-unreadable, dkim-key-kind,
// dkim-key-short.
func LoadDKIMKey(domain, selector, file string) (DKIMKey, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return DKIMKey{}, invalid("dkim-key-unreadable").Because(err)
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return DKIMKey{}, invalid("dkim-key-unreadable")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		if key, err = x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
			return DKIMKey{}, invalid("dkim-key-unreadable")
		}
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return DKIMKey{}, invalid("dkim-key-kind")
	}
	k := DKIMKey{Domain: domain, Selector: selector, Signer: signer}
	return k, k.check()
}

func (k DKIMKey) check() error {
	switch public := k.Signer.Public().(type) {
	case ed25519.PublicKey:
		return nil
	case *rsa.PublicKey:
		if public.N.BitLen() < 2048 {
			return invalid("dkim-key-short")
		}
		return nil
	}
	return invalid("dkim-key-kind")
}

// DKIMRecord returns the line of a zone file that publishes the key, its text in strings of at most 255 bytes (RFC 6376, 3.6.2.2).
func DKIMRecord(k DKIMKey) (string, error) {
	var text string
	switch public := k.Signer.Public().(type) {
	case ed25519.PublicKey:
		text = "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			return "", err
		}
		text = "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	default:
		return "", invalid("dkim-key-kind")
	}
	var quoted []string
	for len(text) > 255 {
		quoted, text = append(quoted, `"`+text[:255]+`"`), text[255:]
	}
	quoted = append(quoted, `"`+text+`"`)
	return fmt.Sprintf("%s._domainkey.%s. IN TXT ( %s )", k.Selector, k.Domain, strings.Join(quoted, " ")), nil
}

// signatures turns the keys into options for the signer, once. The domain of each key must be aligned with that of From, or receivers
// that follow DMARC would not count the signature (RFC 7489, 3.1.1).
func signatures(keys []DKIMKey, fromDomain string) ([]*dkim.SignOptions, error) {
	var all []*dkim.SignOptions
	for _, k := range keys {
		if k.Signer == nil || k.Selector == "" || !printable(k.Selector) {
			return nil, invalid("dkim-selector")
		}
		if !strings.EqualFold(k.Domain, fromDomain) && !strings.HasSuffix(asciiLower(fromDomain), "."+asciiLower(k.Domain)) {
			return nil, invalid("dkim-domain")
		}
		if err := k.check(); err != nil {
			return nil, err
		}
		all = append(all, &dkim.SignOptions{
			Domain:                 k.Domain,
			Selector:               k.Selector,
			Signer:                 k.Signer,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed,
			BodyCanonicalization:   dkim.CanonicalizationRelaxed,
			HeaderKeys:             signedFields,
		})
	}
	return all, nil
}

// sign puts one signature for each of the options before the message.
func sign(message []byte, all []*dkim.SignOptions) ([]byte, error) {
	if len(all) == 0 {
		return message, nil
	}
	var signed bytes.Buffer
	signed.Grow(len(message) + 1024*len(all))
	for _, o := range all {
		signature, err := signatureOf(message, o)
		if err != nil {
			return nil, err
		}
		signed.WriteString(signature)
	}
	signed.Write(message)
	return signed.Bytes(), nil
}

func signatureOf(message []byte, o *dkim.SignOptions) (string, error) {
	signer, err := dkim.NewSigner(o)
	if err != nil {
		return "", err
	}
	if _, err := signer.Write(message); err != nil {
		signer.Close()
		return "", err
	}
	if err := signer.Close(); err != nil {
		return "", err
	}
	return signer.Signature(), nil
}

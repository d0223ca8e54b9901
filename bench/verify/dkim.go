package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
)

// domain is what the mail comes from.
const domain = "platform.example"

// signingSettings makes a key of each kind and returns the settings that sign with them.
func signingSettings(dir string) (map[string]string, error) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	edFile, rsaFile := filepath.Join(dir, "ed25519.pem"), filepath.Join(dir, "rsa.pem")
	return map[string]string{
		"DKIM_DOMAIN":      domain,
		"DKIM_ED25519_KEY": edFile, "DKIM_ED25519_SELECTOR": "ed",
		"DKIM_RSA_KEY": rsaFile, "DKIM_RSA_SELECTOR": "rsa",
	}, errors.Join(writeKey(edFile, ed), writeKey(rsaFile, rs))
}

func writeKey(path string, key any) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

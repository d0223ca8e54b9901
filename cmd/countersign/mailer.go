package main

import (
	netmail "net/mail"
	"time"

	"countersign.dev/base/config"
	"countersign.dev/base/seal"
	"countersign.dev/channel/mail"
)

// newMailer makes the sender of mail that the settings describe. The envelope sender is signed with a key of the
// keyring.
func newMailer(s config.Settings, k *seal.Keyring, now func() time.Time) (*mail.Sender, error) {
	server, err := mail.ParseURL(s.SMTP.URL)
	if err != nil {
		return nil, err
	}
	keys, err := dkimKeys(s.DKIM)
	if err != nil {
		return nil, err
	}
	name := s.Mail.FromName
	if name == "" {
		name = s.Operator.Name
	}
	return mail.New(mail.Options{
		Server: server, CAFile: s.SMTP.CAFile, Helo: s.SMTP.Helo, MaxConns: s.SMTP.Connections,
		From: netmail.Address{Name: name, Address: s.Mail.From}, BounceDomain: s.Mail.BounceDomain,
		DKIM: keys, MAC: k.MAC, Now: now,
	})
}

func dkimKeys(s config.DKIM) (keys []mail.DKIMKey, err error) {
	for _, one := range []struct{ selector, file string }{
		{s.Ed25519Selector, s.Ed25519Key},
		{s.RSASelector, s.RSAKey},
	} {
		if one.file == "" {
			continue
		}
		k, err := mail.LoadDKIMKey(s.Domain, one.selector, one.file)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

package seal

import (
	"fmt"
	"io"
	"log/slog"
)

// Whatever prints a key prints its type. The fields of keys are not exported, so JSON shows none.

// String returns the type's name.
func (d DataKey) String() string { return "seal.DataKey" }

// Format writes the type's name for every verb.
func (d DataKey) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, d.String()) }

// LogValue returns the type's name.
func (d DataKey) LogValue() slog.Value { return slog.StringValue(d.String()) }

// String returns the folder, and no keyset.
func (o Options) String() string { return "seal.Options{Dir: " + o.Dir + "}" }

// Format writes the folder, and no keyset, for every verb.
func (o Options) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, o.String()) }

// LogValue returns the folder, and no keyset.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }

// String returns the type's name.
func (k *Keyring) String() string { return "seal.Keyring" }

// Format writes the type's name for every verb.
func (k *Keyring) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// LogValue returns the type's name.
func (k *Keyring) LogValue() slog.Value { return slog.StringValue(k.String()) }

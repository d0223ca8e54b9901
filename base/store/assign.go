package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
)

var errNull = errors.New("NULL for a place that cannot hold it")

// assign copies a SQLite value into what a caller scans into. The common types are first.
func assign(dest any, v driver.Value) error {
	switch d := dest.(type) {
	case *int64:
		if n, ok := v.(int64); ok {
			*d = n
			return nil
		}
	case *string:
		if s, ok := v.(string); ok {
			*d = s
			return nil
		}
	case *[]byte:
		return assignBytes(d, v)
	case sql.Scanner:
		return d.Scan(v)
	}
	p := reflect.ValueOf(dest)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("a %T is no place to scan into", dest)
	}
	return assignKind(p.Elem(), v)
}

// assignBytes keeps NULL and no bytes apart, as PostgreSQL's driver does.
func assignBytes(d *[]byte, v driver.Value) error {
	switch b := v.(type) {
	case nil:
		*d = nil
	case []byte:
		*d = append([]byte{}, b...)
	case string:
		*d = []byte(b)
	default:
		return fmt.Errorf("a %T does not fit bytes", v)
	}
	return nil
}

// assignKind does the same for every type made of a basic one, and for pointers to them, which hold NULL.
func assignKind(d reflect.Value, v driver.Value) error {
	if d.Kind() == reflect.Pointer {
		if v == nil {
			d.SetZero()
			return nil
		}
		d.Set(reflect.New(d.Type().Elem()))
		return assign(d.Interface(), v)
	}
	switch v := v.(type) {
	case nil:
		if d.Kind() == reflect.Slice {
			d.SetZero()
			return nil
		}
		return errNull
	case int64:
		switch {
		case d.Kind() == reflect.Bool:
			d.SetBool(v != 0)
			return nil
		case d.CanInt() && !d.OverflowInt(v):
			d.SetInt(v)
			return nil
		case d.CanUint() && v >= 0 && !d.OverflowUint(uint64(v)):
			d.SetUint(uint64(v))
			return nil
		case d.CanFloat():
			d.SetFloat(float64(v))
			return nil
		}
	case float64:
		if d.CanFloat() {
			d.SetFloat(v)
			return nil
		}
	case string:
		if d.Kind() == reflect.String {
			d.SetString(v)
			return nil
		}
	case []byte:
		if d.Kind() == reflect.Slice && d.Type().Elem().Kind() == reflect.Uint8 {
			d.SetBytes(append([]byte{}, v...))
			return nil
		}
	}
	return fmt.Errorf("a %T does not fit a %s", v, d.Type())
}

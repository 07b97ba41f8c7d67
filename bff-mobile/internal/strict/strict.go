// Package strict decodes JSON that a client sent, and refuses what encoding/json
// lets pass: duplicate keys and keys in another case, unknown fields, data behind
// the value, deep nesting, text that is not UTF-8, numbers that are not whole or
// out of range, null. Every refusal names the field.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/portico-bff/portico/bff-mobile/internal/rules"
	"github.com/portico-bff/portico/schema/commerce"
)

const maxDepth = 32

// body names the whole of it in errors.
const body = "body"

// Decode reads data into target, a pointer to a struct with json tags. A field
// without omitempty or omitzero has to be there. Structs, slices, strings, bools
// and whole numbers are known. What is read has to fit rule as well, unless that is
// nil. Errors are [commerce.InputError]s.
func Decode(data []byte, rule *rules.Schema, target any) error {
	d := decoder{json: json.NewDecoder(bytes.NewReader(data)), data: data}
	d.json.UseNumber()
	if err := d.value(place{reflect.ValueOf(target).Elem(), rule, ""}, 0); err != nil {
		return err
	}
	if _, err := d.json.Token(); !errors.Is(err, io.EOF) {
		return invalid("", "must hold one JSON value and nothing behind it")
	}
	return nil
}

type decoder struct {
	json *json.Decoder
	data []byte
	last int64 // where the token before ended
}

func invalid(field, message string) error {
	if field == "" {
		field = body
	}
	return &commerce.InputError{Field: field, Code: commerce.CodeInvalid, Message: message}
}

// token reads the next token and checks its bytes: the decoder itself replaces
// what is not UTF-8.
func (d *decoder) token(field string) (json.Token, error) {
	t, err := d.json.Token()
	if err != nil {
		return nil, invalid(field, "must be well-formed JSON")
	}
	end := d.json.InputOffset()
	raw := d.data[d.last:end]
	d.last = end
	if text, ok := t.(string); ok && !faithful(raw, text) {
		return nil, invalid(field, "must be valid UTF-8")
	}
	return t, nil
}

var escapedReplacement = regexp.MustCompile(`(?i)\\ufffd`)

// faithful tells whether text holds just the characters of raw: bad bytes and
// lone surrogates become replacement characters that raw does not have.
func faithful(raw []byte, text string) bool {
	if !utf8.Valid(raw) {
		return false
	}
	const replacement = "\uFFFD"
	if !strings.Contains(text, replacement) {
		return true
	}
	meant := bytes.Count(raw, []byte(replacement)) + len(escapedReplacement.FindAll(raw, -1))
	return strings.Count(text, replacement) <= meant
}

// place is where a value goes, what it has to be and what it is called.
type place struct {
	v     reflect.Value
	rule  *rules.Schema
	field string
}

func (d *decoder) value(to place, depth int) error {
	v, field := to.v, to.field
	if depth > maxDepth {
		return invalid(field, "must not be nested so deeply")
	}
	for v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	t, err := d.token(field)
	if err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.Struct:
		if t != json.Delim('{') {
			return invalid(field, "must be an object")
		}
		return d.object(place{v, to.rule, field}, depth)
	case reflect.Slice:
		if t != json.Delim('[') {
			return invalid(field, "must be a list")
		}
		return d.list(place{v, to.rule, field}, depth)
	default:
		return scalar(place{v, to.rule, field}, t)
	}
}

func scalar(to place, t json.Token) error {
	v, field := to.v, to.field
	switch v.Kind() {
	case reflect.String:
		text, ok := t.(string)
		if !ok {
			return invalid(field, "must be a string")
		}
		v.SetString(text)
		return to.rule.CheckText(field, text)
	case reflect.Bool:
		flag, ok := t.(bool)
		if !ok {
			return invalid(field, "must be true or false")
		}
		v.SetBool(flag)
	default:
		number, ok := t.(json.Number)
		if !ok {
			return invalid(field, "must be a whole number")
		}
		n, err := strconv.ParseInt(number.String(), 10, 64)
		if err != nil || v.OverflowInt(n) {
			return &commerce.InputError{Field: field, Code: commerce.CodeOutOfRange, Message: "must be a whole number within range"}
		}
		v.SetInt(n)
		return to.rule.CheckWhole(field, n)
	}
	return nil
}

func (d *decoder) list(to place, depth int) error {
	v, field := to.v, to.field
	for d.json.More() {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(place{item, to.rule.Item(), field + "[" + strconv.Itoa(v.Len()) + "]"}, depth+1); err != nil {
			return err
		}
		v.Set(reflect.Append(v, item))
	}
	if _, err := d.token(field); err != nil {
		return err
	}
	return to.rule.CheckCount(field, v.Len())
}

// member is a field of a struct by its JSON name.
type member struct {
	name     string
	required bool
}

// memberLists are the members of types that were read before.
var memberLists sync.Map // of reflect.Type, []member

func members(t reflect.Type) []member {
	if list, ok := memberLists.Load(t); ok {
		return list.([]member)
	}
	list := make([]member, t.NumField())
	for i := range list {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		list[i] = member{name: name, required: !strings.Contains(options, "omit")}
	}
	memberLists.Store(t, list)
	return list
}

func (d *decoder) object(to place, depth int) error {
	v, field := to.v, to.field
	known := members(v.Type())
	seen := make([]bool, len(known))
	for d.json.More() {
		t, err := d.token(field)
		if err != nil {
			return err
		}
		name, _ := t.(string) // the decoder lets nothing else be a key
		at := slices.IndexFunc(known, func(m member) bool { return m.name == name })
		if at < 0 {
			return unknown(known, field, name)
		}
		if seen[at] {
			return invalid(join(field, name), "must not be there twice")
		}
		seen[at] = true
		if err := d.value(place{v.Field(at), to.rule.Field(name), join(field, name)}, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.token(field); err != nil {
		return err
	}
	for i, m := range known {
		if m.required && !seen[i] {
			return &commerce.InputError{Field: join(field, m.name), Code: commerce.CodeRequired, Message: "is required"}
		}
	}
	return nil
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// unknown names a field that is not ours. What is no plain name is not repeated.
func unknown(known []member, field, name string) error {
	for _, m := range known {
		if strings.EqualFold(m.name, name) {
			return invalid(join(field, m.name), "must be written exactly so")
		}
	}
	if !plain.MatchString(name) {
		return invalid(field, "holds an unknown field")
	}
	return &commerce.InputError{Field: join(field, name), Code: commerce.CodeUnsupported, Message: "is not a known field"}
}

func join(field, name string) string {
	if field == "" {
		return name
	}
	return field + "." + name
}

package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/schema/commerce"
)

// maxDepth is how deep an answer's arrays and objects may nest.
const maxDepth = quick.MaxDepth

// DecodeJSON reads res into v, a pointer to a wire type, as part of [Request.Read]. An answer that is not
// one JSON value of that shape, in valid UTF-8 and labelled as JSON, is a
// [commerce.CallError] of kind ErrUpstream, reason bad-answer: a login page, for
// example. For a Write that was answered 2xx it is [commerce.ErrOutcomeUnknown]
// instead. Numbers in fields of type any arrive as [json.Number]. A v that is a
// [quick.Value] is read by itself if it can.
func DecodeJSON(system string, traits commerce.Traits, res *Response, v any) error {
	cause := decode(res, v)
	if cause == nil {
		return nil
	}
	traits.System = system
	return BadAnswer(traits, res, cause)
}

func decode(res *Response, v any) error {
	if !isJSON(res.Header.Get("Content-Type")) {
		return errors.New("answer is not labelled as JSON")
	}
	if !utf8.Valid(res.Body) {
		return errors.New("answer is not UTF-8")
	}
	if q, ok := v.(quick.Value); ok {
		if quick.Unmarshal(res.Body, q) {
			return nil
		}
		reflect.ValueOf(v).Elem().SetZero()
	}
	if depth(res.Body) > maxDepth {
		return errors.New("answer nests too deep")
	}
	if !loose(reflect.TypeOf(v)) && json.Unmarshal(res.Body, v) == nil {
		return nil // without a copy of the body; what fails is told by the decoder
	}
	dec := json.NewDecoder(bytes.NewReader(res.Body))
	dec.UseNumber()
	if err := dec.Decode(v); err != nil {
		return redacted(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("answer goes on after its JSON value")
	}
	return nil
}

func isJSON(contentType string) bool {
	if contentType == "application/json" || contentType == "application/json; charset=utf-8" {
		return true // what nearly all say
	}
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == "application/json" || strings.HasSuffix(media, "+json"))
}

// redacted names the field that did not fit; the decoder's own text repeats values.
func redacted(err error) error {
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("answer does not fit field %q of %v", mismatch.Field, mismatch.Type)
	}
	return errors.New("answer cannot be decoded")
}

// What a byte outside of strings is to depth.
const (
	plain byte = iota
	quote
	opens
	closes
)

var kinds = [256]byte{'"': quote, '{': opens, '[': opens, '}': closes, ']': closes}

// depth is how deep brackets nest outside of strings, up to maxDepth + 1.
func depth(body []byte) int {
	level, deepest := 0, 0
	for i := 0; i < len(body); i++ {
		switch kinds[body[i]] {
		case plain:
		case quote:
			for i++; i < len(body) && body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
			}
		case opens:
			level++
			if deepest = max(deepest, level); deepest > maxDepth {
				return deepest
			}
		case closes:
			level--
		}
	}
	return deepest
}

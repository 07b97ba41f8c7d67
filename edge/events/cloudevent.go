package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/portico-bff/portico/schema/commerce"
)

const (
	// maxDepth is how deep a body's arrays and objects may nest.
	maxDepth = 32
	// maxEvents is how many a batch may hold.
	maxEvents = 100
)

var (
	textPattern      = regexp.MustCompile(`^[!-~]{1,255}$`)
	sourcePattern    = textPattern
	extensionPattern = regexp.MustCompile(`^[a-z0-9]{1,64}$`)
)

// readEvents reads the events of a body, which is a batch or one event. Its errors
// are [commerce.InputError]s.
func readEvents(body []byte, batch bool) ([]commerce.ChangeEvent, error) {
	if err := strict(body); err != nil {
		return nil, &commerce.InputError{Code: commerce.CodeInvalid, Message: "body " + err.Error()}
	}
	if !batch {
		event, err := readEvent(body)
		return []commerce.ChangeEvent{event}, err
	}
	var list []json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil || !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		return nil, &commerce.InputError{Code: commerce.CodeInvalid, Message: "body must be an array of events"}
	}
	if len(list) > maxEvents {
		return nil, &commerce.InputError{Code: commerce.CodeOutOfRange, Message: "body must hold at most 100 events"}
	}
	events := make([]commerce.ChangeEvent, len(list))
	for i, one := range list {
		var err error
		if events[i], err = readEvent(one); err != nil {
			return nil, within(i, err)
		}
	}
	return events, nil
}

// within says which event of a batch an error is about.
func within(i int, err error) error {
	wrong, ok := errors.AsType[*commerce.InputError](err)
	if !ok {
		return err
	}
	placed := *wrong
	placed.Field = strings.TrimSuffix(fmt.Sprintf("events[%d].%s", i, wrong.Field), ".")
	return &placed
}

// readEvent reads one event in structured JSON. Attributes that CloudEvents does
// not know are extensions, which may be there and say nothing to us.
func readEvent(body []byte) (commerce.ChangeEvent, error) {
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(body, &attributes); err != nil || attributes == nil {
		return commerce.ChangeEvent{}, &commerce.InputError{Code: commerce.CodeInvalid, Message: "must be one JSON object"}
	}
	r := reader{attributes: attributes}
	event := commerce.ChangeEvent{ID: r.required("id"), Source: r.required("source"), Type: r.required("type"), Data: attributes["data"]}
	if r.required("specversion") != "1.0" {
		r.fail("specversion", commerce.CodeUnsupported, `must be "1.0"`)
	}
	if media := r.optional("datacontenttype"); media != "" && media != "application/json" {
		r.fail("datacontenttype", commerce.CodeUnsupported, "must be application/json")
	}
	if at := r.optional("time"); at != "" {
		if _, err := time.Parse(time.RFC3339, at); err != nil {
			r.fail("time", commerce.CodeInvalid, "must be a time of RFC 3339")
		}
	}
	if !bytes.HasPrefix(event.Data, []byte("{")) {
		r.fail("data", commerce.CodeRequired, "must be an object")
	}
	r.extensions()
	return event, r.err
}

// reader reads attributes and keeps the first thing that is wrong.
type reader struct {
	attributes map[string]json.RawMessage
	err        error
}

func (r *reader) fail(field string, code commerce.Code, message string) {
	if r.err == nil {
		r.err = &commerce.InputError{Field: field, Code: code, Message: message}
	}
}

func (r *reader) required(name string) string {
	if raw, ok := r.attributes[name]; !ok || isNull(raw) {
		r.fail(name, commerce.CodeRequired, "is required")
		return ""
	}
	return r.optional(name)
}

func (r *reader) optional(name string) string {
	raw, ok := r.attributes[name]
	if !ok || isNull(raw) { // the same, to CloudEvents
		return ""
	}
	var text string
	if !bytes.HasPrefix(raw, []byte(`"`)) || json.Unmarshal(raw, &text) != nil || !textPattern.MatchString(text) {
		r.fail(name, commerce.CodeInvalid, "must be a text of 1 to 255 visible ASCII characters")
	}
	return text
}

func isNull(raw json.RawMessage) bool { return string(raw) == "null" }

// extensions refuses names that CloudEvents does not allow. The name itself is not
// repeated: it may be anything.
func (r *reader) extensions() {
	for name, raw := range r.attributes {
		if name == "data" {
			continue
		}
		if name == "data_base64" {
			r.fail(name, commerce.CodeUnsupported, "must not be there; send data")
		}
		if !extensionPattern.MatchString(name) {
			r.fail("", commerce.CodeInvalid, "names of attributes must be 1 to 64 lower-case letters or digits")
		}
		if bytes.HasPrefix(raw, []byte("{")) || bytes.HasPrefix(raw, []byte("[")) {
			r.fail("", commerce.CodeInvalid, "attributes other than data must be texts, numbers or booleans")
		}
	}
}

// strict refuses what decoders read in different ways: text that is not UTF-8, keys
// that are there twice (whatever their case), a second value, and deep nesting.
func strict(body []byte) error {
	if !utf8.Valid(body) {
		return errors.New("must be UTF-8")
	}
	if !json.Valid(body) {
		return errors.New("must be JSON")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var open []map[string]bool // the keys of each object that is open; nil for an array
	key := false               // whether a string would be a key
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errors.New("must be JSON")
		}
		inObject := len(open) > 0 && open[len(open)-1] != nil
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{':
				open = append(open, map[string]bool{})
			case '[':
				open = append(open, nil)
			default:
				open = open[:len(open)-1]
			}
			if len(open) > maxDepth {
				return errors.New("nests too deep")
			}
			key = true
			continue
		case string:
			if inObject && key {
				name := strings.ToLower(strings.ToUpper(t)) // as decoders fold it
				if open[len(open)-1][name] {
					return errors.New("has a key twice")
				}
				open[len(open)-1][name] = true
				key = false
				continue
			}
		}
		key = true
	}
}

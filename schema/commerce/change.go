package commerce

import (
	"encoding/json"
	"errors"
)

// ChangeEvent is a system's own word that something in it changed. A kind's
// mapper turns it into the tags of the answers that are out of date.
type ChangeEvent struct {
	ID     string // the sender's, unique for its source
	Source string // who sent it: the role of a system, "pim", once it was recognised
	Type   string // what happened, in the system's own words: "pimcore.dataobject.postUpdate"
	Data   []byte // the system's payload: one JSON object, valid UTF-8, no key twice
}

// Decode reads the payload into v, a pointer to a wire type. What does not fit is
// an [InputError] that names the field ("data.value.sku") and never its value.
func (e ChangeEvent) Decode(v any) error {
	err := json.Unmarshal(e.Data, v)
	if err == nil {
		return nil
	}
	field := "data"
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		field += "." + wrong.Field
	}
	return &InputError{Field: field, Code: CodeInvalid, Message: "is not of the form that the system sends"}
}

// Unknown is the error of a mapper that knows no such type of event.
func (e ChangeEvent) Unknown() error {
	return &InputError{Field: "type", Code: CodeUnsupported, Message: "is not known for this source"}
}

// Lacks is the error of a mapper that misses a part of the payload without which
// nothing can be said: "value".
func (e ChangeEvent) Lacks(part string) error {
	return &InputError{Field: "data." + part, Code: CodeRequired, Message: "is required"}
}

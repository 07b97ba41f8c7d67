package spoiltest

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Canary is in every page and error text that a spoiled answer holds. It must
// reach neither an error nor a log.
const Canary = "CANARY-5b0e"

const jsonType = "application/json"

// answer is a body with its label, always of status 200.
type answer struct {
	contentType string
	body        []byte
}

// spoiling makes of a good answer's body one that must not be taken. One that
// changes nothing (an empty list has no values to be of a wrong type) is passed over.
type spoiling struct {
	name  string
	valid bool // it stays one JSON value, labelled as such
	of    func(good []byte) answer
}

func labelled(body string) func([]byte) answer {
	return func([]byte) answer { return answer{jsonType, []byte(body)} }
}

const page = "<html><body><form>log in, " + Canary + "</form></body></html>"

// spoilings are the ways in which an answer of status 200 can be none.
func spoilings() []spoiling {
	return []spoiling{
		{"login page", false, func([]byte) answer { return answer{"text/html; charset=utf-8", []byte(page)} }},
		{"page labelled as JSON", false, labelled(page)},
		{"no label", false, func(good []byte) answer { return answer{"", good} }},
		{"labelled as text", false, func(good []byte) answer { return answer{"text/plain", good} }},
		{"empty", false, labelled("")},
		{"cut off", false, func(good []byte) answer { return answer{jsonType, half(good)} }},
		{"twice", false, func(good []byte) answer { return answer{jsonType, append(append(good, ' '), good...)} }},
		{"not UTF-8", false, func(good []byte) answer {
			if !bytes.Contains(good, []byte(`"`)) {
				return answer{jsonType, []byte("\"\xff\"")}
			}
			return answer{jsonType, bytes.Replace(good, []byte(`"`), []byte("\"\xff"), 1)}
		}},
		{"too deep", false, labelled(strings.Repeat("[", 100) + strings.Repeat("]", 100))},
		{"null", true, labelled("null")},
		{"true", true, labelled("true")},
		{"text", true, labelled(`"` + Canary + `, two words"`)},
		{"fraction", true, labelled("-1.5")},
		{"list for object, object for list", true, func(good []byte) answer { return answer{jsonType, turned(good)} }},
		{"values of another type", true, func(good []byte) answer { return answer{jsonType, rewritten(good, wrongType)} }},
		{"objects without fields", true, func(good []byte) answer { return answer{jsonType, rewritten(good, stripped)} }},
		{"ids that are none", true, func(good []byte) answer { return answer{jsonType, rewritten(good, withoutIDs)} }},
	}
}

// half cuts a body off. Of a bare number nothing is left: half of it would be a number, too.
func half(good []byte) []byte {
	if !bytes.ContainsAny(good, `[{"`) {
		return nil
	}
	return good[:len(good)/2]
}

// turned wraps an object into a list, and anything else into an object.
func turned(good []byte) []byte {
	if bytes.HasPrefix(bytes.TrimSpace(good), []byte("{")) {
		return append(append([]byte("["), good...), ']')
	}
	return append(append([]byte(`{"items":`), good...), '}')
}

// rewritten is a body with each of its values replaced.
func rewritten(good []byte, replace func(any) any) []byte {
	dec := json.NewDecoder(bytes.NewReader(good))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return good
	}
	body, err := json.Marshal(replace(v))
	if err != nil {
		return good
	}
	return body
}

// wrongType puts an object in the place of everything that is neither a list nor an object.
func wrongType(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = wrongType(v[name])
		}
		return v
	case []any:
		for i := range v {
			v[i] = wrongType(v[i])
		}
		return v
	default:
		return map[string]any{"is": Canary}
	}
}

// stripped takes the fields of the outermost objects.
func stripped(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return map[string]any{}
	case []any:
		for i := range v {
			v[i] = stripped(v[i])
		}
	}
	return v
}

// idFields are what the systems call the ids, by which answers are joined or told to be somebody's.
var idFields = map[string]bool{"id": true, "entity_id": true, "item_id": true, "customerId": true, "campaignId": true, "sku": true}

// withoutIDs turns ids of every form into something that is no id.
func withoutIDs(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			if idFields[name] {
				v[name] = []string{Canary}
				continue
			}
			v[name] = withoutIDs(v[name])
		}
	case []any:
		for i := range v {
			v[i] = withoutIDs(v[i])
		}
	}
	return v
}

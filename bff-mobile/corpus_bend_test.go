package bffmobile

import (
	"encoding/json"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

func validText(text string) bool { return utf8.ValidString(text) }

// walker reads JSON token by token, for what decoders do not tell.
type walker struct {
	in    *json.Decoder
	kinds []string
}

// value reads one value; it is false when that is not well-formed.
func (w *walker) value() bool {
	token, err := w.in.Token()
	if err != nil {
		return false
	}
	switch token := token.(type) {
	case json.Number:
		if strings.ContainsAny(token.String(), ".eE") {
			w.kinds = append(w.kinds, "number with a fraction or an exponent")
		}
	case json.Delim:
		return w.members(token == '{')
	}
	return true
}

func (w *walker) members(object bool) bool {
	seen := map[string]bool{}
	for w.in.More() {
		if object {
			name, err := w.in.Token()
			if err != nil {
				return false
			}
			text, _ := name.(string)
			if seen[text] {
				w.kinds = append(w.kinds, "duplicate key")
			}
			seen[text] = true
		}
		if !w.value() {
			return false
		}
	}
	_, err := w.in.Token()
	return err == nil
}

// bender makes requests that fit a schema, and bends them.
type bender struct{ *rand.Rand }

func (b bender) one(list ...string) string { return list[b.IntN(len(list))] }

// body is a body as text: an example or one that was made, with 0 to 2 mistakes.
func (b bender) body(media *openapi3.MediaType) string {
	var value any
	if b.IntN(3) == 0 {
		text, _ := json.Marshal(media.Example)
		_ = json.Unmarshal(text, &value)
	} else {
		value = b.make(media.Schema.Value)
	}
	for range b.IntN(3) {
		value = b.bend(value)
	}
	text, _ := json.Marshal(value)
	if b.IntN(4) > 0 {
		return string(text)
	}
	return b.bendText(string(text))
}

// make is a value that fits, as far as its bounds go.
func (b bender) make(s *openapi3.Schema) any {
	switch {
	case s.Type.Is(openapi3.TypeObject):
		made := map[string]any{}
		for name, property := range s.Properties {
			if slices.Contains(s.Required, name) || b.IntN(2) == 0 {
				made[name] = b.make(property.Value)
			}
		}
		return made
	case s.Type.Is(openapi3.TypeArray):
		list := make([]any, int(s.MinItems)+b.IntN(3))
		for i := range list {
			list[i] = b.make(s.Items.Value)
		}
		return list
	case s.Type.Is(openapi3.TypeInteger):
		return int(*s.Min) + b.IntN(int(*s.Max-*s.Min)+1)
	case s.Type.Is(openapi3.TypeBoolean):
		return b.IntN(2) == 0
	default:
		return b.text(s)
	}
}

// text is a text that may fit.
func (b bender) text(s *openapi3.Schema) string {
	if len(s.Enum) > 0 && b.IntN(4) > 0 {
		return s.Enum[b.IntN(len(s.Enum))].(string)
	}
	if s.MaxLength != nil && b.IntN(4) == 0 {
		return strings.Repeat(b.one("a", "é", "語", "😀"), max(0, int(*s.MaxLength)-1+b.IntN(3)))
	}
	return b.one("", "a", "US", "us", "Ann", "1 Main St", "checkmo", "BK-R93R-62", "WELCOME10", "ann@example.test", "é@b.example", "a@b", "a b@c.example",
		"a@b..example", "\x00@b.example", "12.50", "1e3", "-1", "kitchen", "color:Red", "color:", ":Red", "a.b:c", "color:\n", "tab\there", "\u0085", "\u2028",
		"-x", ".x", "_x", strings.Repeat("a", 64), strings.Repeat("a", 65), "日本", " ", "x:"+strings.Repeat("語", 200), "x:"+strings.Repeat("語", 201))
}

// bend changes one place of a value.
func (b bender) bend(value any) any {
	switch v := value.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		if len(names) == 0 || b.IntN(6) == 0 {
			v[b.one("x", "Quantity", "SKU", "__proto__", "a b")] = b.odd()
			return v
		}
		name := b.one(names...)
		if b.IntN(6) == 0 {
			delete(v, name)
			return v
		}
		v[name] = b.bend(v[name])
		return v
	case []any:
		switch b.IntN(4) {
		case 0:
			return append(v, "more", "and", "more")
		case 1:
			return []any{}
		case 2:
			return b.odd()
		}
		if len(v) > 0 {
			v[0] = b.bend(v[0])
		}
		return v
	}
	return b.odd()
}

// odd is a value of some kind.
func (b bender) odd() any {
	list := []any{
		nil, true, 0, 1, -1, 10_000, 10_001, 1 << 40, 1.5, "", "a", "é", " ", strings.Repeat("b", 255), strings.Repeat("ü", 255), strings.Repeat("b", 256),
		[]any{},
		[]any{"a"},
		[]any{nil},
		map[string]any{},
		map[string]any{"a": 1},
		"US", "a@b.example", json.Number("1.0"), json.Number("1e0"), json.Number("-0"),
	}
	return list[b.IntN(len(list))]
}

// bendText does to a text what no value can tell.
func (b bender) bendText(text string) string {
	switch b.IntN(7) {
	case 0:
		return text + b.one("{}", " x", "]", "null")
	case 1: // each key once more
		return strings.Replace(text, "{", "{"+strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}")+",", 1)
	case 2:
		return strings.Replace(text, `"a`, "\"a\xff", 1)
	case 3:
		return strings.Replace(text, `":"`, `":"\ud800`, 1)
	case 4:
		return text[:b.IntN(len(text))] + " "
	case 5:
		return strings.Repeat(b.one("[", `{"a":`), 40) + "1" + strings.Repeat("]", 40)
	default:
		return " " + text + "\n"
	}
}

// query is a query with values that may fit, and 0 to 1 mistakes.
func (b bender) query(parameters []*openapi3.Parameter) string {
	values := url.Values{}
	for _, p := range parameters {
		if b.IntN(max(2, len(parameters)/2)) > 0 {
			continue
		}
		schema, times := p.Schema.Value, 1
		if schema.Type.Is(openapi3.TypeArray) {
			schema, times = schema.Items.Value, []int{1, 2, 50, 51}[b.IntN(4)]
		}
		const most = 4 << 10 // bytes of a header's that one parameter may take
		first := b.parameter(schema)
		if size := len(url.QueryEscape(first)); size*times > most {
			first, times = first[:min(len(first), most/9)], 1
		}
		for range times {
			values.Add(p.Name, first)
		}
	}
	text := values.Encode()
	if b.IntN(4) > 0 {
		return text
	}
	name := parameters[b.IntN(len(parameters))].Name
	return strings.TrimPrefix(text+b.one("&"+name+"=1", "&"+name+"=", "&x=1", "&"+strings.ToUpper(name)+"=1", "&q=%zz", "&a;b=c", "&"+name+"=%ff", "&"+name, "&%3Cb%3E=1", "&", "&"+name+"=%00"), "&")
}

// parameter is a value as it stands in a query.
func (b bender) parameter(s *openapi3.Schema) string {
	switch {
	case s.Type.Is(openapi3.TypeInteger) && b.IntN(2) == 0:
		return strconv.Itoa(int(*s.Min) + b.IntN(int(*s.Max-*s.Min)+1))
	case s.Type.Is(openapi3.TypeInteger):
		return b.one("0", "1", "-1", "007", "+1", "1.0", "1e1", "", " 1", "4097", "101", "99999999999999999999", "x", "١")
	case s.Type.Is(openapi3.TypeBoolean):
		return b.one("true", "false", "TRUE", "1", "0", "t", "", "yes")
	}
	return b.text(s)
}

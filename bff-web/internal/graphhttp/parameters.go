package graphhttp

import (
	"encoding/json"
	"unicode/utf8"
)

// maxNesting is how deep encoding/json lets values lie within one another.
const maxNesting = 10_000

// scan is a pass over a body that nearly every client sends: known members once each,
// with values of the kinds that they must have. It says what encoding/json would, or
// that it does not know, which leaves the body to [decode].
type scan struct {
	text  []byte
	at    int
	depth int
}

// read reads the whole body. It answers false when anything about it is out of the
// ordinary, be it right or wrong.
func (s *scan) read() (*parameters, bool) {
	if !utf8.Valid(s.text) || !s.opens('{') {
		return nil, false
	}
	p := &parameters{}
	var seen [5]bool
	for first := true; !s.closes('}'); first = false {
		if !first && !s.takes(',') {
			return nil, false
		}
		name, ok := s.bare()
		if !ok || !s.takes(':') || !s.member(p, name, &seen) {
			return nil, false
		}
	}
	s.space()
	return p, s.at == len(s.text)
}

// member reads one of the parameters, which is there for the first time.
func (s *scan) member(p *parameters, name []byte, seen *[5]bool) bool {
	switch string(name) {
	case "query":
		return first(&seen[0]) && s.string(&p.Query)
	case "documentId":
		return first(&seen[1]) && s.string(&p.document)
	case "operationName":
		return first(&seen[2]) && s.string(&p.OperationName)
	case "variables":
		return first(&seen[3]) && s.members(&p.Variables)
	case "extensions":
		return first(&seen[4]) && s.members(&p.Extensions)
	}
	return false
}

func first(seen *bool) bool {
	again := *seen
	*seen = true
	return !again
}

// string reads a string or null.
func (s *scan) string(to *string) bool {
	if s.space(); s.word("null") {
		return true
	}
	text, ok := s.quoted()
	*to = text
	return ok
}

// members reads an object or null.
func (s *scan) members(to *map[string]any) bool {
	if s.space(); s.word("null") {
		return true
	}
	object, ok := s.object()
	*to = object
	return ok
}

// value reads a value as [json.Decoder] does with UseNumber.
func (s *scan) value() (any, bool) {
	s.space()
	switch c := s.peek(); {
	case c == '"':
		return boxed(s.quoted())
	case c == '{':
		return boxed(s.object())
	case c == '[':
		return boxed(s.list())
	case c == '-', '0' <= c && c <= '9':
		return boxed(s.number())
	case s.word("true"):
		return true, true
	case s.word("false"):
		return false, true
	}
	return nil, s.word("null")
}

func boxed[T any](v T, ok bool) (any, bool) { return v, ok }

// object reads an object; of members of one name the last counts.
func (s *scan) object() (map[string]any, bool) {
	if !s.opens('{') {
		return nil, false
	}
	object := map[string]any{}
	for first := true; !s.closes('}'); first = false {
		if !first && !s.takes(',') {
			return nil, false
		}
		s.space()
		name, ok := s.quoted()
		if !ok || !s.takes(':') {
			return nil, false
		}
		v, ok := s.value()
		if !ok {
			return nil, false
		}
		object[name] = v
	}
	return object, true
}

func (s *scan) list() ([]any, bool) {
	if !s.opens('[') {
		return nil, false
	}
	list := []any{}
	for first := true; !s.closes(']'); first = false {
		if !first && !s.takes(',') {
			return nil, false
		}
		v, ok := s.value()
		if !ok {
			return nil, false
		}
		list = append(list, v)
	}
	return list, true
}

// number reads a number as it is written.
func (s *scan) number() (json.Number, bool) {
	from := s.at
	s.sign('-', '-')
	if s.peek() == '0' {
		s.at++
	} else if !s.digits() {
		return "", false
	}
	if s.peek() == '.' {
		if s.at++; !s.digits() {
			return "", false
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.at++
		if s.sign('+', '-'); !s.digits() {
			return "", false
		}
	}
	return json.Number(s.text[from:s.at]), true
}

func (s *scan) sign(one, other byte) {
	if c := s.peek(); c == one || c == other {
		s.at++
	}
}

// digits passes one digit or more.
func (s *scan) digits() bool {
	from := s.at
	for c := s.peek(); '0' <= c && c <= '9'; c = s.peek() {
		s.at++
	}
	return s.at > from
}

// quoted reads a string.
func (s *scan) quoted() (string, bool) {
	from := s.at
	if inside, ok := s.bare(); ok {
		return string(inside), true
	}
	for s.at = from + 1; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case '\\':
			s.at++ // whatever it escapes ends nothing
		case '"':
			s.at++
			var text string
			err := json.Unmarshal(s.text[from:s.at], &text)
			return text, err == nil
		}
	}
	return "", false
}

// bare reads a string in which nothing is escaped.
func (s *scan) bare() ([]byte, bool) {
	if s.space(); s.peek() != '"' {
		return nil, false
	}
	from := s.at + 1
	for i := from; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.at = i + 1
			return s.text[from:i], true
		case c == '\\', c < ' ':
			return nil, false
		}
	}
	return nil, false
}

// word passes a word.
func (s *scan) word(word string) bool {
	if len(s.text)-s.at < len(word) || string(s.text[s.at:s.at+len(word)]) != word {
		return false
	}
	s.at += len(word)
	return true
}

// opens passes the beginning of an object or list, unless it lies too deep.
func (s *scan) opens(c byte) bool {
	s.depth++
	return s.takes(c) && s.depth <= maxNesting
}

// closes passes the end of an object or list, if that is next.
func (s *scan) closes(c byte) bool {
	ends := s.takes(c)
	if ends {
		s.depth--
	}
	return ends
}

// takes passes c and the space before it, if that is next.
func (s *scan) takes(c byte) bool {
	s.space()
	if s.peek() != c {
		return false
	}
	s.at++
	return true
}

// peek is the next byte; 0, which is nowhere outside of strings, at the end.
func (s *scan) peek() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

func (s *scan) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

package graph

import (
	"bytes"

	"github.com/vektah/gqlparser/v2/ast"
)

// mark is a place of an answer that is to be null, or that leads to such places.
type mark struct {
	null  bool
	names map[string]*mark
	items map[int]*mark
}

// add marks the place at path. What is below a place that is null needs no mark.
func (m *mark) add(path ast.Path) {
	for _, element := range path {
		if m.null {
			return
		}
		m = m.below(element)
	}
	m.null, m.names, m.items = true, nil, nil
}

func (m *mark) below(element ast.PathElement) *mark {
	if index, ok := element.(ast.PathIndex); ok {
		return orMark(&m.items, int(index))
	}
	name, _ := element.(ast.PathName)
	return orMark(&m.names, string(name))
}

func orMark[K comparable](all *map[K]*mark, key K) *mark {
	if *all == nil {
		*all = map[K]*mark{}
	}
	if (*all)[key] == nil {
		(*all)[key] = &mark{}
	}
	return (*all)[key]
}

// cut is data, a JSON text, with null at all places marked. Marks of places that data
// does not have are passed over, and so is what is no JSON.
func cut(data []byte, marks *mark) []byte {
	c := cutter{in: data, out: make([]byte, 0, len(data))}
	c.value(marks)
	return append(c.out, data[c.kept:]...)
}

// cutter reads a JSON text once, from its begin to its end.
type cutter struct {
	in   []byte
	at   int // what is before is read
	out  []byte
	kept int // what is before stands in out, or is cut
}

func (c *cutter) value(m *mark) {
	c.blank()
	switch {
	case m.null:
		c.out = append(append(c.out, c.in[c.kept:c.at]...), "null"...)
		c.skip()
		c.kept = c.at
	case c.comes('{'):
		c.object(m)
	case c.comes('['):
		c.list(m)
	default:
		c.skip()
	}
}

func (c *cutter) object(m *mark) {
	for c.more('}') {
		begin := c.at
		c.skip()
		key := bytes.Trim(c.in[begin:c.at], `"`) // a name has nothing that JSON escapes
		c.blank()
		if !c.comes(':') {
			return
		}
		if below := m.names[string(key)]; below != nil {
			c.value(below)
			continue
		}
		c.blank()
		c.skip()
	}
}

func (c *cutter) list(m *mark) {
	for i := 0; c.more(']'); i++ {
		if below := m.items[i]; below != nil {
			c.value(below)
			continue
		}
		c.skip()
	}
}

// more moves on to the next element of an object or a list, which closes with end.
func (c *cutter) more(end byte) bool {
	c.blank()
	if c.comes(',') {
		c.blank()
	}
	return c.at < len(c.in) && !c.comes(end)
}

// comes moves past b, if b is next.
func (c *cutter) comes(b byte) bool {
	if c.at == len(c.in) || c.in[c.at] != b {
		return false
	}
	c.at++
	return true
}

func (c *cutter) blank() {
	for c.comes(' ') || c.comes('\n') || c.comes('\t') || c.comes('\r') {
	}
}

// skip moves past the value that is next.
func (c *cutter) skip() {
	for depth := 0; c.at < len(c.in); {
		switch c.in[c.at] {
		case '"':
			c.text()
		case '{', '[':
			c.at++
			depth++
			continue
		case '}', ']':
			c.at++
			depth--
		default:
			c.scalar()
		}
		if depth <= 0 {
			return
		}
	}
}

// text moves past the string that is next.
func (c *cutter) text() {
	for c.at++; c.at < len(c.in); c.at++ {
		switch c.in[c.at] {
		case '\\':
			c.at++
		case '"':
			c.at++
			return
		}
	}
	c.at = len(c.in)
}

// scalar moves past a number or a word, or past what stands between values.
func (c *cutter) scalar() {
	for c.at++; c.at < len(c.in); c.at++ {
		switch c.in[c.at] {
		case '"', '{', '}', '[', ']', ',', ':', ' ', '\n', '\t', '\r':
			return
		}
	}
}

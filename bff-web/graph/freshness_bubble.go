package graph

import (
	"encoding/json"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Bubble takes out of data what cannot stand without the values at the paths failed,
// whose fields are declared FAIL: the null goes up, as from a field that is not nullable,
// to the nearest place that may be null and whose field is not FAIL itself; without one,
// data is null. The errors stay where they were met. It costs one look at each path and
// one at data, however many have failed.
func Bubble(oc *graphql.OperationContext, data json.RawMessage, failed []ast.Path) json.RawMessage {
	data, _ = BubbleIn(oc.Operation.SelectionSet, nil, data, failed)
	if data == nil {
		return json.RawMessage("null")
	}
	return data
}

// BubbleIn is [Bubble] of a part of an answer: of what set selects of the object at a path,
// which the null goes up to at most. It answers nil for data where that is so, and tells the
// paths of the answer that are null now. Paths elsewhere are passed over.
func BubbleIn(set ast.SelectionSet, at ast.Path, data json.RawMessage, failed []ast.Path) (_ json.RawMessage, cuts []ast.Path) {
	root := &shape{sets: []ast.SelectionSet{set}}
	nulls := &mark{}
	for _, path := range failed {
		if len(path) < len(at) || !slices.Equal(path[:len(at)], at) {
			continue
		}
		end := root.boundary(path[len(at):])
		if end == 0 {
			return nil, []ast.Path{at}
		}
		nulls.add(path[len(at) : len(at)+end])
		cuts = append(cuts, path[:len(at)+end])
	}
	if len(cuts) == 0 {
		return data, nil
	}
	return cut(data, nulls), cuts
}

// shape is what is selected at all places of an answer whose paths differ in indexes
// alone.
type shape struct {
	sets   []ast.SelectionSet // merged
	typ    *ast.Type
	fails  bool // FAIL is declared of the field
	fields map[string]*shape
	each   *shape // of a list
}

// boundary is how many elements of path lead to where a null that began at its end stops;
// 0 when nothing stops it.
func (s *shape) boundary(path ast.Path) int {
	end := 0
	for i, element := range path {
		if s = s.below(element); s == nil {
			return end
		}
		if !s.typ.NonNull && !s.fails {
			end = i + 1
		}
	}
	return end
}

// below is the shape of what element leads to; nil when nothing of the kind is selected.
func (s *shape) below(element ast.PathElement) *shape {
	if name, ok := element.(ast.PathName); ok {
		return s.field(string(name))
	}
	if s.each == nil && s.typ != nil && s.typ.Elem != nil {
		s.each = &shape{sets: s.sets, typ: s.typ.Elem, fails: s.fails}
	}
	return s.each
}

// field is the shape of what answers key. Each is looked for once.
func (s *shape) field(key string) *shape {
	if known, ok := s.fields[key]; ok {
		return known
	}
	if s.fields == nil {
		s.fields = map[string]*shape{}
	}
	var of *shape
	if field, sets := descend(s.sets, key); field != nil && field.Definition != nil {
		of = &shape{sets: sets, typ: field.Definition.Type, fails: ToleranceOf(field).OnError == Fail}
	}
	s.fields[key] = of
	return of
}

// descend finds the field that answers key in merged selection sets, and what is selected
// of it. Fields of one key have one contract.
func descend(sets []ast.SelectionSet, key string) (found *ast.Field, of []ast.SelectionSet) {
	for _, set := range sets {
		for _, sel := range set {
			switch sel := sel.(type) {
			case *ast.Field:
				if sel.Alias == key {
					found, of = sel, append(of, sel.SelectionSet)
				}
			case *ast.InlineFragment:
				if f, more := descend([]ast.SelectionSet{sel.SelectionSet}, key); f != nil {
					found, of = f, append(of, more...)
				}
			case *ast.FragmentSpread:
				if sel.Definition == nil {
					continue
				}
				if f, more := descend([]ast.SelectionSet{sel.Definition.SelectionSet}, key); f != nil {
					found, of = f, append(of, more...)
				}
			}
		}
	}
	return found, of
}

package graph

import (
	"bytes"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Bubble takes out of data what cannot stand without the values at the paths failed,
// whose fields are declared FAIL: the null goes up, as from a field that is not nullable,
// to the nearest place that may be null and whose field is not FAIL itself; without one,
// data is null. The errors stay where they were met.
func Bubble(oc *graphql.OperationContext, data json.RawMessage, failed []ast.Path) json.RawMessage {
	for _, path := range failed {
		end := boundary(oc.Operation.SelectionSet, path)
		if end == 0 {
			return json.RawMessage("null")
		}
		data = nullAt(data, path[:end])
	}
	return data
}

// boundary is how many elements of path lead to where a null that began at its end stops;
// 0 when nothing stops it.
func boundary(root ast.SelectionSet, path ast.Path) int {
	end, sets := 0, []ast.SelectionSet{root}
	var typ *ast.Type
	fails := false
	for i, element := range path {
		if name, ok := element.(ast.PathName); ok {
			var field *ast.Field
			if field, sets = descend(sets, string(name)); field == nil || field.Definition == nil {
				return end
			}
			typ, fails = field.Definition.Type, ToleranceOf(field).OnError == Fail
		} else if typ = typ.Elem; typ == nil {
			return end
		}
		if !typ.NonNull && !fails {
			end = i + 1
		}
	}
	return end
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

// nullAt writes null at a path of data. What is null on the way already stays so.
func nullAt(data []byte, path ast.Path) []byte {
	dec := json.NewDecoder(bytes.NewReader(data))
	for _, element := range path {
		open, err := dec.Token()
		if _, nested := open.(json.Delim); err != nil || !nested {
			return data
		}
		if !forward(dec, element) {
			return data
		}
	}
	var old json.RawMessage
	if err := dec.Decode(&old); err != nil {
		return data
	}
	end := int(dec.InputOffset())
	begin := end - len(old)
	out := make([]byte, 0, len(data))
	out = append(out, data[:begin]...)
	out = append(out, "null"...)
	return append(out, data[end:]...)
}

// forward moves dec, just within an object or a list, to where the value of element is.
func forward(dec *json.Decoder, element ast.PathElement) bool {
	index, ordered := element.(ast.PathIndex)
	for i := 0; dec.More(); i++ {
		if ordered && i == int(index) {
			return true
		}
		if !ordered {
			key, err := dec.Token()
			if err != nil {
				return false
			}
			if name, ok := element.(ast.PathName); ok && key == string(name) {
				return true
			}
		}
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			return false
		}
	}
	return false
}

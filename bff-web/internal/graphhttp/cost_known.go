package graphhttp

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/internal/documents"
)

// What a published document costs is estimated once for all variables that make no
// difference to it, and kept with the document.

// maxKnown bounds how many costs are kept of one operation, and maxKnownKey what they are
// found by, in bytes: of long variables nothing is kept.
const maxKnown, maxKnownKey = 64, 512

// costs are those of one operation of a document.
type costs struct {
	decisive []string // variables that a cost may depend on
	kept     atomic.Int32
	known    sync.Map // what the decisive variables come to, a string → *Cost
}

// costsKey is under what a document keeps its costs, by operation.
type costsKey struct{ operation *ast.OperationDefinition }

// knownCost is what oc comes to, estimated now or before. It is false where that is not kept:
// for a text of the client's own, and for variables that are out of the ordinary.
func knownCost(ctx context.Context, oc *graphql.OperationContext) (*Cost, bool) {
	d := documents.From(ctx)
	if d == nil {
		return nil, false
	}
	of, ok := d.Notes.Load(costsKey{oc.Operation})
	if !ok {
		of, _ = d.Notes.LoadOrStore(costsKey{oc.Operation}, &costs{decisive: decisive(oc)})
	}
	own, _ := of.(*costs)
	key, ok := own.key(oc.Variables)
	if !ok {
		return nil, false
	}
	if cost, ok := own.known.Load(key); ok {
		found, _ := cost.(*Cost)
		return found, true
	}
	if own.kept.Load() >= maxKnown {
		return nil, false
	}
	made := costOf(oc)
	if _, earlier := own.known.LoadOrStore(key, &made); !earlier {
		own.kept.Add(1)
	}
	return &made, true
}

// key is what the decisive variables come to. Of a list, whose elements are sizes to nobody,
// its length counts. It answers false for what is none of this.
func (c *costs) key(variables map[string]any) (string, bool) {
	if len(c.decisive) == 0 {
		return "", true
	}
	var key []byte
	for _, name := range c.decisive {
		switch v := variables[name].(type) {
		case nil:
			key = append(key, 'n')
		case bool:
			key = strconv.AppendBool(key, v)
		case string:
			if len(v) > maxKnownKey {
				return "", false
			}
			key = strconv.AppendQuote(key, v)
		case json.Number:
			key = append(append(key, '#'), v...)
		case int64:
			key = strconv.AppendInt(append(key, '#'), v, 10)
		case []any:
			key = strconv.AppendInt(append(key, '['), int64(len(v)), 10)
		case []string:
			key = strconv.AppendInt(append(key, ']'), int64(len(v)), 10)
		default:
			return "", false
		}
		if key = append(key, ' '); len(key) > maxKnownKey {
			return "", false
		}
	}
	return string(key), true
}

// decisive are the variables on which oc's cost may depend: those of conditions, those in
// arguments that say how many objects there are, and those in arguments by which equal
// fields of products are told from others. Which product a page is about is none of these.
func decisive(oc *graphql.OperationContext) []string {
	w := &deciders{seen: map[string]bool{}}
	w.set(oc.Operation.SelectionSet)
	return w.names
}

type deciders struct {
	names []string
	seen  map[string]bool // fragments
}

func (w *deciders) set(set ast.SelectionSet) {
	for _, selected := range set {
		switch s := selected.(type) {
		case *ast.Field:
			w.conditions(s.Directives)
			told := s.ObjectDefinition == nil || readings["Product."+s.Name].keyed != ""
			for _, a := range s.Arguments {
				if told || counts(a.Name) {
					w.value(a.Value)
				}
			}
			w.set(s.SelectionSet)
		case *ast.InlineFragment:
			w.conditions(s.Directives)
			w.set(s.SelectionSet)
		case *ast.FragmentSpread:
			w.conditions(s.Directives)
			if s.Definition != nil && !w.seen[s.Name] {
				w.seen[s.Name] = true
				w.set(s.Definition.SelectionSet)
			}
		}
	}
}

// counts tells whether arguments of a name say how many objects there are, as [length] has it.
func counts(name string) bool { return name == "first" || name == "skus" || name == "ids" }

func (w *deciders) conditions(list ast.DirectiveList) {
	for _, d := range list {
		for _, a := range d.Arguments {
			w.value(a.Value)
		}
	}
}

func (w *deciders) value(v *ast.Value) {
	if v.Kind == ast.Variable && !slices.Contains(w.names, v.Raw) {
		w.names = append(w.names, v.Raw)
	}
	for _, child := range v.Children {
		w.value(child.Value)
	}
}

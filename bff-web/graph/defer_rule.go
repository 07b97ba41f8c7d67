package graph

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
)

// deferLabelRule refuses labels of @defer that do not tell parts apart: the proposal wants
// each to stand once in a document, as a text. What was compiled of a document has them.
func deferLabelRule(observers *validator.Events, addError validator.AddErrFunc) {
	of := map[string]*ast.Directive{}
	seen := map[*ast.Directive]bool{} // a fragment is walked each time it is spread
	observers.OnDirective(func(_ *validator.Walker, d *ast.Directive) {
		if d.Name != "defer" || seen[d] {
			return
		}
		seen[d] = true
		arg := d.Arguments.ForName("label")
		switch {
		case arg == nil || arg.Value == nil:
		case arg.Value.Kind == ast.Variable:
			addError(labelError("must be a text, and no variable", d))
		case arg.Value.Kind != ast.StringValue && arg.Value.Kind != ast.BlockValue: // null, or refused by its type
		case of[arg.Value.Raw] != nil:
			addError(labelError("is used twice in the document; give each @defer its own, or none", of[arg.Value.Raw], d))
		default:
			of[arg.Value.Raw] = d
		}
	})
}

func labelError(message string, at ...*ast.Directive) validator.ErrorOption {
	return func(err *gqlerror.Error) {
		err.Message = "@defer: label: " + message
		err.Extensions = map[string]any{"field": "label"}
		for _, d := range at {
			if p := d.Position; p != nil {
				err.Locations = append(err.Locations, gqlerror.Location{Line: p.Line, Column: p.Column})
			}
		}
	}
}

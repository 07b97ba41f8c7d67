package graphhttp

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/edge/waterfall"
	"github.com/portico-bff/portico/schema/commerce"
)

// uses calls see for what went to each path of the answer.
type uses func(see func(op commerce.Operation, key string, path ast.Path))

// asText is each with paths as a waterfall names them.
func (each uses) asText() waterfall.Uses {
	return func(see func(op commerce.Operation, key, path string)) {
		each(func(op commerce.Operation, key string, path ast.Path) { see(op, key, pathText(path)) })
	}
}

// pathText is a path of the answer with its places in lists left out: "search.nodes.*.price".
func pathText(path ast.Path) string {
	parts := make([]string, len(path))
	for i, element := range path {
		if name, ok := element.(ast.PathName); ok {
			parts[i] = string(name)
		} else {
			parts[i] = "*"
		}
	}
	return strings.Join(parts, ".")
}

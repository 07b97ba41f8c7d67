package load

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/schema/commerce"
)

// EachUse calls see for everything that went to a path of the answer so far: which
// operation brought it, the key as sources name it, and the path. see must not use the
// loader.
func (l *Loader) EachUse(see func(op commerce.Operation, key string, path ast.Path)) {
	l.noting.Lock()
	defer l.noting.Unlock()
	for i := range l.uses {
		l.uses[i].each(func(u Use) { see(u.Op, keyText(u.Key), u.Path) })
	}
}

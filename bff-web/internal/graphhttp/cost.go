package graphhttp

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/schema/commerce"
)

// Cost is what an operation can come to, in calls of systems: with nothing kept but the
// systems' references, and lists without a size of a usual length. Systems go by their role.
type Cost struct {
	Total    int            `json:"total"`
	BySystem map[string]int `json:"bySystem"`
	guesses  int
}

// CodeCost is extensions.code of an operation that would come to too many calls.
const CodeCost = "QUERY_COST"

// within refuses an operation that would cost more calls of one system than most; 0 does
// not limit.
func (c Cost) within(most int) error {
	if most == 0 {
		return nil
	}
	worst := ""
	for system, calls := range c.BySystem {
		if w := c.BySystem[worst]; calls > w || calls == w && system < worst {
			worst = system
		}
	}
	if c.BySystem[worst] <= most {
		return nil
	}
	return &gqlerror.Error{
		Message:    fmt.Sprintf("the operation would cost %d calls of %s; at most %d", c.BySystem[worst], worst, most),
		Extensions: map[string]any{"code": CodeCost, "max": most, "cost": c},
	}
}

// costOf estimates what oc comes to. It has been validated, and its arguments are checked.
func costOf(oc *graphql.OperationContext) Cost {
	e := estimate{oc: oc, once: map[batch]bool{}, cost: Cost{BySystem: map[string]int{}}}
	var found []want
	e.object(oc.Operation.SelectionSet, 1, 1, &found)
	e.levels(found, 1)
	return e.cost
}

// estimate adds up calls the way that the plan in graph makes them: level by level, all
// products of a level in one call of each operation, and each deferred fragment on its own.
type estimate struct {
	oc    *graphql.OperationContext
	once  map[batch]bool
	cost  Cost
	parts int // deferred fragments so far
	part  int // the one that is looked at; 0: what is answered at once
}

// want is a field that leads to n products.
type want struct {
	field graphql.CollectedField
	n     int
	part  int
}

// each calls see for the fields of set: what is answered at once, and what each fragment
// defers as a part of its own.
func (e *estimate) each(set ast.SelectionSet, see func(graphql.CollectedField)) {
	now, later := compiled.Split(e.oc, set)
	for _, f := range graphql.CollectFields(e.oc, now, nil) {
		see(f)
	}
	above := e.part
	for _, deferred := range later {
		e.parts++
		e.part = e.parts
		e.each(deferred, see)
	}
	e.part = above
}

// add adds what so many times op come to.
func (e *estimate) add(op commerce.Operation, times int) {
	calls := min(times*max(weights[op], 1), ceiling)
	port, _, _ := strings.Cut(string(op), ".")
	role := roles[port]
	e.cost.BySystem[role] = min(e.cost.BySystem[role]+calls, ceiling)
	e.cost.Total = min(e.cost.Total+calls, ceiling)
}

// object takes the fields of n objects in each of so many places, and notes in found what
// leads to products.
func (e *estimate) object(set ast.SelectionSet, n, places int, found *[]want) {
	e.each(set, func(f graphql.CollectedField) {
		if f.ObjectDefinition != nil {
			e.field(f, readings[f.ObjectDefinition.Name+"."+f.Name], n, places, found)
		}
	})
}

func (e *estimate) field(f graphql.CollectedField, r reading, n, places int, found *[]want) {
	for _, op := range r.calls {
		e.add(op, min(n*places, ceiling))
	}
	if b := batchOf(f, r.once, 0); r.once != "" && !e.once[b] {
		e.once[b] = true
		e.add(r.once, 1)
	}
	if guesses[f.Name] {
		e.cost.guesses++
	}
	size := e.size(f, r)
	switch {
	case r.keyed != "" && r.plans:
		e.levels([]want{{f, min(n*size, ceiling), e.part}}, places)
	case r.keyed == commerce.OpProducts, r.keyed == commerce.OpRelated:
		*found = append(*found, want{f, min(n*size, ceiling), e.part})
	case r.plans:
		var own []want
		e.object(f.Selections, size, min(n*places, ceiling), &own)
		e.levels(own, min(n*places, ceiling))
	case len(f.Selections) > 0:
		e.object(f.Selections, min(n*size, ceiling), places, found)
	}
}

// size is how many objects a field leads to from one.
func (e *estimate) size(f graphql.CollectedField, r reading) int {
	size := max(r.most, 1)
	if f.Definition == nil {
		return size
	}
	for name, value := range f.ArgumentMap(e.oc.Variables) {
		size = max(size, listed(name, value))
	}
	return size
}

// listed is how many objects an argument asks for, as the executor coerces it.
func listed(name string, value any) int {
	if one, ok := value.(string); ok && name == "skus" && one != "" {
		return 1
	}
	if list, ok := value.([]string); ok && name == "skus" {
		return len(list)
	}
	if n, ok := value.(json.Number); ok {
		value = n
	}
	return length(name, value)
}

// levels takes products, and those below them, a level at a time, in each of so many places.
func (e *estimate) levels(wants []want, places int) {
	above := e.part
	defer func() { e.part = above }()
	for len(wants) > 0 {
		keys := map[batch]int{}
		var next []want
		for _, w := range wants {
			e.part = w.part
			keys[batchOf(w.field, commerce.OpProducts, w.part)] += w.n
			e.product(w, places, keys, &next)
		}
		for b, n := range keys {
			e.add(b.op, min((n+commerce.MaxBatch-1)/commerce.MaxBatch*places, ceiling))
		}
		wants = next
	}
}

// batch is what goes into one call: an operation, for fields of one part that take equally
// stale values.
type batch struct {
	op    commerce.Operation
	takes graph.Tolerance
	part  int
}

func batchOf(f graphql.CollectedField, op commerce.Operation, part int) batch {
	return batch{op, graph.ToleranceOf(f.Field), part}
}

// product adds the keys that the fields of n products need. Equal fields of different
// aliases need the same keys.
func (e *estimate) product(w want, places int, keys map[batch]int, next *[]want) {
	needed := map[string]bool{}
	e.each(w.field.Selections, func(f graphql.CollectedField) {
		r := readings["Product."+f.Name]
		if f.ObjectDefinition == nil || r.keyed == "" {
			e.field(f, r, w.n, places, next)
			return
		}
		b := batchOf(f, r.keyed, e.part)
		same := fmt.Sprint(b, f.ArgumentMap(e.oc.Variables))
		if !needed[same] {
			needed[same] = true
			keys[b] += w.n
		}
		if r.keyed == commerce.OpRelated {
			*next = append(*next, want{f, min(w.n*e.size(f, r), ceiling), e.part})
		}
	})
}

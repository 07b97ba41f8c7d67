package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// schemaOf is a schema, for looking up.
type schemaOf struct{ *ast.Schema }

// generator makes a random query that fits the schema.
type generator struct {
	world     *world
	schema    *schemaOf
	rng       *rand.Rand
	declared  map[string]string // variables: name → type and default
	values    map[string]any
	fragments []string
	size      int                 // of what was written so far
	spreads   map[string][]string // fragments that are done, by type
	defers    int                 // one in so many fragments is deferred; 0: none
	labels    int
}

func (g *generator) one(n int) bool { return g.rng.IntN(n) == 0 }

// operation is the query, with its variables.
func (g *generator) operation() ask {
	g.spreads = map[string][]string{}
	for i := range g.rng.IntN(4) {
		g.fragment(i)
	}
	text := g.set(g.schema.Query, 0)
	for i := len(g.fragments) - 1; i >= 0; i-- { // one spreads those before it only
		if strings.Contains(text, fmt.Sprint("...F", i, " ")) {
			text += g.fragments[i]
		}
	}
	var head []string
	for name, typ := range g.declared {
		if strings.Contains(text, "$"+name+" ") {
			head = append(head, "$"+name+":"+typ)
		} else {
			delete(g.values, name)
		}
	}
	slices.Sort(head)
	if len(head) > 0 {
		return ask{"query Q(" + strings.Join(head, " ") + ")" + text, g.values}
	}
	return ask{"query Q" + text, g.values}
}

func (g *generator) fragment(i int) {
	types := []string{"Product", "Product", "ProductConnection", "Price", "Money", "Category", "Query", "Cart", "Order"}
	on := types[g.rng.IntN(len(types))]
	name := fmt.Sprint("F", i)
	body := g.set(g.schema.Types[on], 2)
	g.fragments = append(g.fragments, "\nfragment "+name+" on "+on+body)
	g.spreads[on] = append(g.spreads[on], name)
}

// set is a selection set. It always asks for something.
func (g *generator) set(def *ast.Definition, depth int) string {
	var b strings.Builder
	b.WriteString("{")
	wanted := 1 + g.rng.IntN(5)
	if depth == 0 {
		wanted = 1 + g.rng.IntN(3)
	}
	asked := 0
	for range 4 * wanted {
		if asked == wanted || g.size > 80 {
			break
		}
		if text := g.selection(def, depth); text != "" {
			b.WriteString(text)
			asked++
			g.size++
		}
	}
	if asked == 0 {
		b.WriteString("__typename ")
	}
	b.WriteString("}")
	return b.String()
}

const deepest = 5

func (g *generator) selection(def *ast.Definition, depth int) string {
	likely := 9
	if g.defers > 0 {
		likely = 3
	}
	switch {
	case g.one(9) && (depth > 0 || g.one(4)):
		return "__typename " + g.condition()
	case depth < deepest && g.one(likely):
		return "..." + []string{"", " on " + def.Name + " "}[g.rng.IntN(2)] + g.condition() + g.deferral() + g.set(def, depth+1)
	case g.one(4) && len(g.spreads[def.Name]) > 0:
		return "..." + g.spreads[def.Name][g.rng.IntN(len(g.spreads[def.Name]))] + " " + g.condition() + g.deferral()
	}
	f := def.Fields[g.rng.IntN(len(def.Fields))]
	if strings.HasPrefix(f.Name, "__") {
		return ""
	}
	below := g.schema.Types[f.Type.Name()]
	if below.Kind == ast.Object && depth >= deepest {
		return ""
	}
	text, arguments := g.field(def, f)
	text += arguments + " " + g.condition() + g.tolerance(def, f)
	if below.Kind == ast.Object {
		text += g.set(below, depth+1)
	}
	return text + " "
}

// field is a field with its arguments. One response key always has the same ones, so that
// fields merge.
func (g *generator) field(def *ast.Definition, f *ast.FieldDefinition) (name, arguments string) {
	which := g.rng.IntN(3)
	alias := f.Name
	if which > 0 {
		alias = fmt.Sprint(f.Name, which)
	}
	var args []string
	for _, a := range f.Arguments {
		if text := g.argument(a, def.Name, alias); text != "" {
			args = append(args, a.Name+":"+text+" ")
		}
	}
	if len(args) > 0 {
		arguments = "(" + strings.Join(args, "") + ")"
	}
	if alias == f.Name {
		return f.Name, arguments
	}
	return alias + ":" + f.Name, arguments
}

// argument is a value for an argument, or empty where it is left out.
func (g *generator) argument(a *ast.ArgumentDefinition, object, alias string) string {
	about := []any{object, alias, a.Name}
	optional := !a.Type.NonNull || a.DefaultValue != nil
	switch {
	case optional && g.world.roll(3, about, "left out") == 0:
		return ""
	case !a.Type.NonNull && g.world.roll(6, about, "null") == 0:
		return "null"
	case g.world.roll(2, about, "variable") == 0:
		return g.variable(a, about)
	}
	literal, _ := g.value(a.Name, about)
	return literal
}

// variable declares one and gives it a value, null, or none.
func (g *generator) variable(a *ast.ArgumentDefinition, about []any) string {
	name := strings.NewReplacer(" ", "_", "[", "", "]", "").Replace(fmt.Sprint("v", about))
	literal, value := g.value(a.Name, about)
	typ := a.Type.String()
	delete(g.values, name)
	switch choice := g.world.roll(6, about, "choice"); {
	case choice == 0 && !a.Type.NonNull:
		g.values[name] = nil
	case choice == 1 && !a.Type.NonNull: // not sent
	case choice == 2:
		typ += "=" + literal // the default is in force
	case choice == 3 && a.DefaultValue != nil:
		typ = strings.TrimSuffix(typ, "!") // nullable into a place that has a default; not sent
	default:
		g.values[name] = value
	}
	g.declared[name] = typ
	return "$" + name + " "
}

// value is a literal and the same as a variable's value.
func (g *generator) value(name string, about []any) (literal string, value any) {
	n := g.world.roll(9, about, "value")
	text := fmt.Sprint("S", n)
	switch name {
	case "quantity", "first", "width":
		return fmt.Sprint(100*n + 1), int64(100*n + 1)
	case "skus":
		if n == 0 {
			return `"S0"`, []any{"S0"}
		}
		return `["S1","S2","` + text + `"]`, []any{"S1", "S2", text}
	case "ids":
		return `["c01","c00","` + text + `"]`, []any{"c01", "c00", text}
	case "options":
		return `{code:"color",value:"` + text + `"}`, []any{map[string]any{"code": "color", "value": "Red"}}
	case "sort":
		return "NAME", "NAME"
	case "id", "cartId":
		if n == 1 {
			return "7", int64(7)
		}
		return fmt.Sprintf(`"c0%d"`, n%3), fmt.Sprint("c0", n%3)
	case "filter":
		return `{category:"` + text + `",priceMin:null,inStock:true,facets:[{code:"color",values:"Red"}]}`,
			map[string]any{"category": text, "priceMax": nil, "facets": []any{map[string]any{"code": "color", "values": []any{"Red", text}}}}
	case "address":
		return `{firstName:"A",lastName:"B",street:["` + text + `"],city:"C",postcode:"1",country:"DE",region:null}`,
			map[string]any{"firstName": "A", "lastName": "B", "street": []any{text}, "city": "C", "postcode": "1", "country": "DE", "company": text}
	}
	return `"` + text + `"`, text
}

// tolerance is @freshness where the schema declares it, now and then. Aliases that are
// the same may differ in it; the first counts.
func (g *generator) tolerance(def *ast.Definition, f *ast.FieldDefinition) string {
	if def == g.schema.Mutation || f.Directives.ForName("freshness") == nil {
		return ""
	}
	if g.defers > 0 { // fields of one key, which come in different parts, say the same of it, as the rules want
		which := []any{def.Name, f.Name, "tolerance"}
		return append([]string{"@freshness(onError:FAIL) ", "@freshness(onError:NULL) ", "@freshness(staleUpTo:\"1s\") "}, make([]string, 6)...)[g.world.roll(9, which...)]
	}
	if !g.one(3) {
		return ""
	}
	return []string{"@freshness(onError:FAIL) ", "@freshness(onError:NULL) ", "@freshness(staleUpTo:\"1s\") "}[g.rng.IntN(3)]
}

// condition is @skip or @include, now and then.
func (g *generator) condition() string {
	if !g.one(8) {
		return ""
	}
	directive := []string{"@skip", "@include"}[g.rng.IntN(2)]
	if g.one(3) {
		return directive + "(if:" + []string{"true", "false"}[g.rng.IntN(2)] + ") "
	}
	name := fmt.Sprint("b", g.rng.IntN(3))
	g.declared[name] = "Boolean!"
	if _, known := g.values[name]; !known {
		g.values[name] = g.world.roll(2, name) == 0
	}
	return directive + "(if:$" + name + " ) "
}

// deferral is @defer, now and then, if anything is to be deferred.
func (g *generator) deferral() string {
	if g.defers == 0 || !g.one(g.defers) {
		return ""
	}
	g.labels++
	label := []string{"", fmt.Sprintf("label:%q ", fmt.Sprint("L", g.labels))}[g.rng.IntN(2)]
	switch g.rng.IntN(6) {
	case 0:
		return "@defer(" + label + "if:" + []string{"true", "false"}[g.rng.IntN(2)] + ") "
	case 1:
		name := fmt.Sprint("d", g.rng.IntN(3))
		g.declared[name] = "Boolean"
		if g.world.roll(4, name, "sent") > 0 { // else it is true
			g.values[name] = g.world.roll(3, name) > 0
		}
		return "@defer(" + label + "if:$" + name + " ) "
	}
	if label == "" {
		return "@defer "
	}
	return "@defer(" + label + ") "
}

package bffweb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

// matrixFile says what each caller gets of each field: of what is everyone's, or of the
// owner's cart, order and account. A field of the schema needs its row; -update writes
// what is answered, to be read before it is committed.
const matrixFile = "testdata/w8.matrix"

// callers of the matrix, the owner first: what the owner was answered is in the cache then.
var callers = []struct {
	name   string
	header []header
}{
	{"owner", []header{{"Authorization", "Bearer C1"}}},
	{"anonymous", nil},
	{"other user", []header{{"Authorization", "Bearer C2"}}},
	{"other tenant", []header{{"Authorization", "Bearer T1"}}},
}

// canaries are the owner's alone: nobody else is ever answered one.
var canaries = []string{"ann@example.test", `"Ann"`, "Lee", "1 Main St", "98101", "206-555-0100", "Regulars", "000000007", "000000008", "1Z999", "Acme Freight"}

// arguments that fields of the matrix are asked with, where a default does not do. $cart, $line and
// $guest are of the owner's cart; the input of a mutation is in a variable.
var matrixArguments = map[string]string{
	"Query.product": `(sku:"MUG-RED")`, "Query.products": `(skus:["MUG-RED"])`, "Query.search": `(text:"mug")`, "Query.category": `(id:"kitchen")`,
	"Query.page": `(id:"home")`, "Query.pages": `(ids:["home"])`, "Query.recommendations": `(skus:["MUG-RED"])`,
	"Query.cart": `(id:"$cart")`, "Query.shippingOptions": `(cartId:"$cart",address:$address)`, "Query.order": `(number:"000000007")`,
	"Cart.shippingOptions": `(address:$address)`, "Product.variant": `(options:[{code:"color",value:"Blue"}])`, "Price.tiers": "",

	"Subscription.availability": `(skus:["MUG-RED"])`, "Subscription.orderStatus": `(id:"000000007")`,

	"Mutation.cartMerge":        `(input:{cartId:"$guest"})`,
	"Mutation.cartLineAdd":      `(input:{cartId:"$cart",sku:"LAMP-1"})`,
	"Mutation.cartLineUpdate":   `(input:{cartId:"$cart",lineId:"$line",quantity:3})`,
	"Mutation.cartLineRemove":   `(input:{cartId:"$cart",lineId:"$line"})`,
	"Mutation.cartCouponApply":  `(input:{cartId:"$cart",code:"WELCOME10"})`,
	"Mutation.cartCouponRemove": `(input:{cartId:"$cart"})`,
	"Mutation.cartShippingSet":  `(input:{cartId:"$cart",email:"x@example.test",shippingAddress:$address,methodCode:"$method"})`,
	"Mutation.orderPlace":       `(input:{cartId:"$cart",paymentMethod:"$payment",idempotencyKey:"key-of-this-order-1"})`,
}

// matrixAddress is where ways to send are asked for; it has nothing of the owner's own address.
const matrixAddress = `{firstName:"Max",lastName:"Roe",street:["2 Side St"],city:"Portland",postcode:"97201",country:"US"}`

// matrixWays lead to types by the owner's own data, where the schema has a shorter way to others'.
var matrixWays = map[string][]string{
	"Address": {"Query.me", "Me.addresses"},
	"Order":   {"Query.order"},
	"Cart":    {"Query.cart"},
	"Totals":  {"Query.cart", "Cart.totals"},

	"CartPayload": {"Mutation.cartLineAdd"},
}

// cell is a field with the way to it from a root.
type cell struct {
	name string   // "Type.field"
	way  []string // fields that lead to its type: "Query.product"
}

// cells are all fields that can be reached, in the schema's order.
func cells(schema *ast.Schema) []cell {
	var list []cell
	ways := map[string][]string{"Query": {}, "Mutation": {}, "Subscription": {}}
	for queue := []string{"Query", "Mutation", "Subscription"}; len(queue) > 0; queue = queue[1:] {
		def := schema.Types[queue[0]]
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			name := def.Name + "." + f.Name
			list = append(list, cell{name, ways[def.Name]})
			below := schema.Types[f.Type.Name()]
			if below.Kind != ast.Object || ways[below.Name] != nil {
				continue
			}
			ways[below.Name] = append(slices.Clone(ways[def.Name]), name)
			if own := matrixWays[below.Name]; own != nil {
				ways[below.Name] = own
			}
			queue = append(queue, below.Name)
		}
	}
	return list
}

// root is the kind of operation that the cell is asked for with.
func (c cell) root() string {
	name := append(slices.Clone(c.way), c.name)[0]
	of, _, _ := strings.Cut(name, ".")
	return strings.ToLower(of)
}

// query asks for the cell's field; below an object it asks for every plain field.
func (c cell) query(schema *ast.Schema, fill *strings.Replacer) string {
	typeName, field, _ := strings.Cut(c.name, ".")
	depth := len(c.way)
	var b strings.Builder
	b.WriteString(c.root() + "{")
	for _, step := range c.way {
		_, name, _ := strings.Cut(step, ".")
		b.WriteString(name + matrixArguments[step] + "{")
	}
	b.WriteString(field + matrixArguments[c.name])
	if def := schema.Types[schema.Types[typeName].Fields.ForName(field).Type.Name()]; def.Kind == ast.Object {
		b.WriteString("{__typename")
		for _, f := range def.Fields {
			if f.Name == "userErrors" {
				b.WriteString(" userErrors{code}")
			}
			if len(f.Arguments) == 0 && schema.Types[f.Type.Name()].IsLeafType() && !strings.HasPrefix(f.Name, "__") {
				b.WriteString(" " + f.Name)
			}
		}
		b.WriteString("}")
	}
	b.WriteString(strings.Repeat("}", depth) + "}")
	return fill.Replace(b.String())
}

// outcome of a cell: "value", "null", "empty", "refused" by a change that tells the shopper why, "none"
// where there is no object to have the field, or the code of an error.
func (c cell) outcome(a answer) string {
	if len(a.Errors) > 0 {
		return fmt.Sprint(a.Errors[0].Extensions["code"])
	}
	var v any = a.Data
	for _, step := range append(slices.Clone(c.way), c.name) {
		if list, ok := v.([]any); ok {
			v = nil
			if len(list) > 0 {
				v = list[0]
			}
		}
		object, ok := v.(map[string]any)
		if !ok {
			return "none"
		}
		_, name, _ := strings.Cut(step, ".")
		v = object[name]
	}
	if list, ok := v.([]any); ok && len(list) == 0 {
		return "empty"
	}
	if v == nil {
		return "null"
	}
	if object, ok := v.(map[string]any); ok {
		if refused, _ := object["userErrors"].([]any); len(refused) > 0 {
			return "refused"
		}
	}
	return "value"
}

// owned is a shop in which the owner has a cart that can be ordered, and a guest another one.
func owned(t *testing.T) (*shop, *strings.Replacer) {
	t.Helper()
	s, _ := keeping(t)
	owner := callers[0].header
	cart, payment := s.filled(t, owner...)
	p := s.change(t, "cartCouponApply", map[string]any{"cartId": cart, "code": "WELCOME10"}, owner...)
	line, _ := at(t, p, "cart", "lines", 0, "id").(string)
	method, _ := at(t, p, "cart", "shipping", "code").(string)
	guest := s.newCart(t)
	require.Empty(t, s.change(t, "cartLineAdd", map[string]any{"cartId": guest, "sku": "BOWL-1"})["userErrors"])
	return s, strings.NewReplacer("$cart", cart, "$line", line, "$method", method, "$payment", payment, "$guest", guest, "$address", matrixAddress)
}

// row is what each caller gets of a cell.
func (c cell) row(t *testing.T, schema *ast.Schema) []string {
	t.Helper()
	s, fill := owned(t)
	query := c.query(schema, fill)
	var row []string
	for _, who := range callers {
		ask := s.query
		if c.root() == "subscription" {
			ask = s.first
		}
		a := ask(t, query, nil, who.header...)
		row = append(row, strings.ReplaceAll(c.outcome(a), " ", "_"))
		if who.name == "owner" {
			continue
		}
		for _, canary := range canaries {
			assert.NotContains(t, a.Raw, canary, "%s is told %s by %s", who.name, canary, query)
		}
		assert.NotContains(t, a.Raw, fill.Replace("$cart"), "%s by %s", who.name, query)
	}
	return row
}

func readMatrix(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(matrixFile)
	require.NoError(t, err)
	rows := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 0 && !strings.HasPrefix(line, "#") {
			rows[words[0]] = words[1:]
		}
	}
	return rows
}

func TestW8_EveryFieldAnswersEachCallerAsItsRowSays(t *testing.T) {
	t.Parallel()
	schema := sdl(t)
	all := cells(schema)
	if *update {
		var b bytes.Buffer
		fmt.Fprintf(&b, "# What each caller gets of each field. %s\n%-36s %-14s %-14s %-14s %s\n", "See w8_test.go.", "# field", "owner", "anonymous", "other_user", "other_tenant")
		for _, c := range all {
			r := c.row(t, schema)
			fmt.Fprintf(&b, "%-36s %-14s %-14s %-14s %s\n", c.name, r[0], r[1], r[2], r[3])
		}
		require.NoError(t, os.WriteFile(matrixFile, b.Bytes(), 0o600))
	}
	rows := readMatrix(t)
	for _, c := range all {
		want, ok := rows[c.name]
		delete(rows, c.name)
		if !assert.True(t, ok, "%s has no row: say in %s what each caller gets", c.name, matrixFile) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, want, c.row(t, schema))
		})
	}
	assert.Empty(t, slices.Sorted(maps.Keys(rows)), "there are no such fields")
}

// What the matrix shows of the owner's account, cart and order goes to the owner alone.
func TestW8_WhatIsTheOwnersIsNobodyElses(t *testing.T) {
	t.Parallel()
	rows, found := readMatrix(t), 0
	for _, c := range cells(sdl(t)) {
		mine := len(c.way) > 0 && slices.Contains([]string{"Query.cart", "Query.order", "Subscription.orderStatus"}, c.way[0])
		if !mine {
			continue
		}
		found++
		require.NotEqual(t, "none", rows[c.name][0], "the owner's row proves nothing: %s", c.name)
		for i := range callers[1:] {
			assert.Equal(t, "none", rows[c.name][i+1], "%s for %s", c.name, callers[i+1].name)
		}
	}
	assert.Greater(t, found, 40)
	for _, c := range cells(sdl(t)) {
		if len(c.way) > 0 && c.way[0] == "Query.me" {
			assert.Equal(t, "none", rows[c.name][1], "%s for nobody", c.name)
		}
	}
}

// A value that the test plants reaches its owner, or the search for canaries would prove nothing.
func TestW8_TheOwnerSeesTheCanaries(t *testing.T) {
	t.Parallel()
	s, fill := owned(t)
	a := s.ok(t, fill.Replace(`{me{profile{email firstName lastName phone segments} addresses{street postcode} orders{nodes{number shipments{tracking carrier}}}} cart(id:"$cart"){id shipping{address{lastName}}}}`), nil, callers[0].header...)
	text, err := json.Marshal(a.Data)
	require.NoError(t, err)
	for _, canary := range append(slices.Clone(canaries), fill.Replace("$cart")) {
		assert.Contains(t, string(text), canary)
	}
}

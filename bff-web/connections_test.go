package bffweb

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Over the real connectors, every paged list goes on right behind any of its edges, and refuses
// what is no cursor of it by the argument's name.
func TestEveryConnectionGoesOnBehindAnyEdge(t *testing.T) {
	t.Parallel()
	s, systems := sandboxed(t)
	customer := header{"Authorization", "Bearer " + systems.Token(t, "AW00011000")}
	lists := map[string]struct {
		before, after, key string
		way                []any
	}{
		"search":   {`search(text:"bike",sort:NEWEST,`, "", "sku", []any{"search"}},
		"category": {`category(id:"101"){products(sort:PRICE_DESC,`, "}", "sku", []any{"category", "products"}},
		"orders":   {`me{orders(`, "}", "number", []any{"me", "orders"}},
		"invoices": {`me{invoices(`, "}", "number", []any{"me", "invoices"}},
	}
	page := func(name, arguments string) answer {
		l := lists[name]
		return s.query(t, "{"+l.before+arguments+"){totalCount edges{cursor node{"+l.key+"}} nodes{"+l.key+"} pageInfo{hasNextPage hasPreviousPage startCursor endCursor}}"+l.after+"}", nil, customer)
	}
	edges := func(name string, a answer) (keys, cursors []any) {
		require.Empty(t, a.Errors, a.Raw)
		l := lists[name]
		list, _ := at(t, a.Data, append(l.way, "edges")...).([]any)
		for i := range list {
			keys = append(keys, at(t, list, i, "node", l.key))
			cursors = append(cursors, at(t, list, i, "cursor"))
			assert.Equal(t, keys[i], at(t, a.Data, append(l.way, "nodes", i, l.key)...), "%s: nodes are the edges' nodes", name)
		}
		return keys, cursors
	}
	for name, l := range lists {
		whole := page(name, "first:8")
		keys, cursors := edges(name, whole)
		require.Greater(t, len(keys), 1, whole.Raw)
		info := at(t, whole.Data, append(l.way, "pageInfo")...)
		assert.Equal(t, cursors[0], at(t, info, "startCursor"))
		assert.Equal(t, cursors[len(cursors)-1], at(t, info, "endCursor"))
		assert.Equal(t, false, at(t, info, "hasPreviousPage"))
		for i := range len(keys) - 1 {
			rest := page(name, `first:2,after:"`+cursors[i].(string)+`"`)
			behind, _ := edges(name, rest)
			assert.Equal(t, keys[i+1], behind[0], "%s behind edge %d", name, i)
			assert.Equal(t, true, at(t, rest.Data, append(l.way, "pageInfo", "hasPreviousPage")...))
		}
		cursor := cursors[0].(string)
		for _, bad := range []string{"x", cursor[1:], cursor + "=", strings.Repeat("A", 900), "~" + cursor} {
			a := page(name, `first:2,after:"`+bad+`"`)
			assert.Equal(t, []string{"BAD_USER_INPUT"}, a.codes(), "%s: %s: %s", name, bad, a.Raw)
			assert.Equal(t, "after", a.Errors[0].Extensions["field"], "%s: %s", name, bad)
		}
		for other := range lists {
			if other == name {
				continue
			}
			a := page(other, `first:2,after:"`+cursor+`"`)
			assert.Equal(t, []string{"BAD_USER_INPUT"}, a.codes(), "a cursor of %s is none of %s: %s", name, other, a.Raw)
		}
	}
}

// What is deprecated works as what is to be used instead.
func TestTheDeprecatedWorks(t *testing.T) {
	t.Parallel()
	s := open(t)
	cart := s.newCart(t)
	require.Empty(t, s.change(t, "cartLineAdd", map[string]any{"cartId": cart, "sku": "MUG-RED"})["userErrors"])
	s.ResetCalls()
	a := s.ok(t, `query($id:ID!,$to:AddressInput!){cart(id:$id){shippingOptions(address:$to){code price{amount}}} shippingOptions(cartId:$id,address:$to){code price{amount}}}`,
		map[string]any{"id": cart, "to": object(t, addressJSON)})
	assert.NotEmpty(t, at(t, a.Data, "shippingOptions"))
	assert.Equal(t, at(t, a.Data, "shippingOptions"), at(t, a.Data, "cart", "shippingOptions"))
	assert.Equal(t, 1, s.Calls(commerce.OpShippingOptions), "the same is asked once")
	a = s.ok(t, `{me{orders{nodes{shipments{status state}}}}}`, nil, header{"Authorization", "Bearer C1"})
	assert.Equal(t, map[string]any{"status": "done", "state": "SENT"}, at(t, a.Data, "me", "orders", "nodes", 0, "shipments", 0))
	a = s.ok(t, `query($id:ID!){cart(id:$id){lines{id lineId}} product(sku:"MUG-RED"){availability{locations{id locationId}}}}`, map[string]any{"id": cart})
	line, _ := at(t, a.Data, "cart", "lines", 0).(map[string]any)
	place, _ := at(t, a.Data, "product", "availability", "locations", 0).(map[string]any)
	assert.NotEmpty(t, line["id"])
	assert.Equal(t, line["id"], line["lineId"])
	assert.NotEmpty(t, place["id"])
	assert.Equal(t, place["id"], place["locationId"])
}

// A variant is found by what was chosen, and only when that leaves one.
func TestAVariantIsChosenByItsOptions(t *testing.T) {
	t.Parallel()
	s := open(t)
	for options, want := range map[string]any{
		`[{code:"color",value:"Blue"}]`:                            "MUG-BLUE",
		`{code:"color",value:"Red"}`:                               "MUG-RED",
		`[{code:"color",value:"Green"}]`:                           nil,
		`[{code:"size",value:"Blue"}]`:                             nil,
		`[{code:"color",value:"Blue"},{code:"color",value:"Red"}]`: nil,
		`[]`: nil,
	} {
		a := s.ok(t, `{products(skus:["MUG-RED","LAMP-1"]){variant(options:`+options+`){sku product{name}}}}`, nil)
		if want == nil {
			assert.Nil(t, at(t, a.Data, "products", 0, "variant"), options)
		} else {
			assert.Equal(t, want, at(t, a.Data, "products", 0, "variant", "sku"), options)
		}
		assert.Nil(t, at(t, a.Data, "products", 1, "variant"), options)
	}
}

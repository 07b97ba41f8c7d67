package bffweb

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// step is how long every port takes in these tests, by a clock that nothing else moves.
const step = 50 * time.Millisecond

// slow makes every read of a shop take a step.
func slow(s *shop) {
	for op, traits := range s.Ports().Traits {
		if traits.Access == commerce.Read {
			s.Hold(op, func(ctx context.Context) {
				select {
				case <-time.After(step):
				case <-ctx.Done():
				}
			})
		}
	}
}

// A query costs the depth of its data dependencies, however deep it is nested: what is known at
// the start is asked of every system at once.
func TestW7_AQueryCostsTheDepthOfItsDependencies(t *testing.T) {
	t.Parallel()
	const address = `{firstName:"Ann",lastName:"Lee",street:["1 Main St"],city:"Seattle",region:"WA",postcode:"98101",country:"US"}`
	cases := map[string]struct {
		query  string
		signed bool
		steps  int
		calls  int // of one operation at most; 0 means 1
	}{
		"product":                {query: `{product(sku:"MUG-RED"){name price{unit{amount}} availability{quantity} reviews{count} breadcrumbs{name}}}`, steps: 1},
		"product's related ones": {query: `{product(sku:"MUG-RED"){name related{name price{unit{amount}} availability{inStock} breadcrumbs{name}}}}`, steps: 2, calls: 2},
		"chosen variant":         {query: `{product(sku:"MUG-RED"){optionAxes{code} variant(options:[{code:"color",value:"Blue"}]){product{name price{unit{amount}}}}}}`, steps: 2, calls: 2},
		"category page": {query: `{category(id:"home"){name parent{name} breadcrumbs{name} products(first:24,filter:{inStock:true,facets:[{code:"color",values:["Red","Blue"]}]}){
		  totalCount facets{code} pageInfo{endCursor} edges{cursor node{name price{unit{amount}} availability{quantity locations{name}}}}}}}`, steps: 2},
		"search page":                {query: `{search(text:"mug",first:24){nodes{name price(quantity:3){unit{amount}} availability{quantity} reviews{average} breadcrumbs{id}}}}`, steps: 2},
		"account":                    {query: `{me{priceGroup profile{email} addresses{city} loyalty{points} orders{nodes{number}} invoices{edges{node{number}}}}}`, signed: true, steps: 1, calls: 2},
		"orders with their products": {query: `{me{orders(first:5){nodes{number lines{product{name availability{quantity}}}}}}}`, signed: true, steps: 2, calls: 2},
		"content":                    {query: `{page(id:"home"){title} more:pages(ids:["home","none"]){title} categories{name} product(sku:"LAMP-1"){name}}`, steps: 1},
		"cart":                       {query: `query($id:ID!){cart(id:$id){lines{product{name}} shippingOptions(address:` + address + `){code}}}`, steps: 2},
		"ways to send a cart":        {query: `query($id:ID!){cart(id:$id){id shippingOptions(address:` + address + `){code}}}`, steps: 1},
		"everything at once":         {query: `{product(sku:"MUG-RED"){name price{unit{amount}}} search(text:"mug"){nodes{name}} category(id:"kitchen"){products{nodes{name}}} me{loyalty{points}}}`, signed: true, steps: 2, calls: 3},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t)
				cart := s.newCart(t)
				p := s.change(t, "cartLineAdd", map[string]any{"cartId": cart, "sku": "MUG-RED"})
				require.Empty(t, p["userErrors"])
				slow(s)
				s.ResetCalls()
				var who []header
				if c.signed {
					who = append(who, header{"Authorization", "Bearer C1"})
				}
				began := time.Now()
				a := s.ok(t, c.query, map[string]any{"id": cart}, who...)
				assert.Equal(t, time.Duration(c.steps)*step, time.Since(began), a.Raw)
				for op := range s.Ports().Traits {
					assert.LessOrEqual(t, s.Calls(op), max(c.calls, 1), "%s", op)
				}
			})
		})
	}
}

package bffweb

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parts are the imitated systems by their role.
var parts = map[string]string{
	"pimcore": "pim", "elasticsearch": "search", "odoo": "erp", "openloyalty": "crm", "magento": "checkout",
}

// reference is what is read once and kept for long: it comes on top of what a query costs.
var reference = map[string]bool{
	"product.pricelist.search_read": true, "product.pricelist.item.search_read": true, "res.currency.search_read": true,
	"stock.location.search_read": true, "product.category.search_read": true,
}

// TestW10_NoQueryMakesMoreCallsThanItsCost compares what the imitated systems counted with
// what an answer said that it could cost, with nothing but references kept.
func TestW10_NoQueryMakesMoreCallsThanItsCost(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{
		"product":         `{product(sku:"HL-U509-R"){name price{quantity} availability{quantity} reviews{count}}}`,
		"price":           `{product(sku:"HL-U509-R"){price{quantity}}}`,
		"stock":           `{product(sku:"HL-U509-R"){availability{quantity}}}`,
		"bulk prices":     `{product(sku:"HL-U509-R"){price{quantity} a:price(quantity:9){quantity}}}`,
		"search":          `{search(first:100){nodes{name price{quantity} availability{quantity} reviews{count}}}}`,
		"two searches":    `{search(first:20){nodes{price{quantity}}} b:search(text:"bike" first:5){nodes{price{quantity} availability{quantity}}}}`,
		"related":         `{search(first:20){nodes{related{name price{quantity} availability{quantity}}}}}`,
		"variants":        `{search(first:10){nodes{variants{product{name price{quantity}}}}}}`,
		"categories":      `{categories{name children{name breadcrumbs{name}}}}`,
		"category pages":  `{categories{products(first:4){nodes{price{quantity} availability{quantity}}}}}`,
		"deferred prices": `{search(first:20){nodes{name price{quantity} ...@defer{availability{quantity} a:price(quantity:9){quantity}} ...@defer{reviews{count}}}}}`,
		"deferred levels": `{product(sku:"HL-U509-R"){name ...@defer{related{name price{quantity} ...@defer{related{name price{quantity}}}}}}}`,
		"deferred roots":  `{product(sku:"HL-U509-R"){price{quantity}} ...@defer{search(first:5){nodes{price{quantity} availability{quantity}}} me{orders(first:5){nodes{number}}}}}`,
		"page":            `{page(id:"home"){title} pages(ids:["home"]){title}}`,
		"profile":         `{me{profile{email}}}`,
		"addresses":       `{me{addresses{city}}}`,
		"loyalty":         `{me{loyalty{points}}}`,
		"orders":          `{me{orders(first:5){nodes{number}}}}`,
		"orders' lines":   `{me{orders(first:5){nodes{lines{product{name price{quantity}}}}}}}`,
		"invoices":        `{me{invoices{nodes{number}}}}`,
		"account":         `{me{profile{email} addresses{city} loyalty{points} orders{nodes{number}} invoices{nodes{number}}}}`,
		"cart":            `{cart(id:"$cart"){lines{product{name price{quantity} availability{quantity}}}}}`,
		"shipping":        `{cart(id:"$cart"){shippingOptions(address:$to){code}}}`,
		"make a cart":     `mutation{cartCreate{cart{lines{product{name}}}}}`,
		"add to a cart":   `mutation{cartLineAdd(input:{cartId:"$cart" sku:"HL-U509-B"}){cart{lines{product{name}}}}}`,
		"coupon":          `mutation{cartCouponApply(input:{cartId:"$cart" code:"NOPE"}){cart{id} userErrors{code}}}`,
		"drop the coupon": `mutation{cartCouponRemove(input:{cartId:"$cart"}){cart{id} userErrors{code}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, systems := sandboxed(t, "RATE_LIMIT_CUSTOMER=0", "RATE_LIMIT_ADDRESS=0", "WEB_QUERY_CALLS=0")
			customer := header{"Authorization", "Bearer " + systems.Token(t, "AW00011000")}
			warm := s.query(t, `{product(sku:"BK-R93R-62"){price{quantity} availability{quantity} breadcrumbs{name}}}`, nil)
			require.Empty(t, warm.Errors, warm.Raw)
			text := withCart(t, s, query, customer)
			systems.ResetCalls(t)
			a := s.query(t, text, nil, customer, header{"Accept", partsType})
			require.Equal(t, http.StatusOK, a.Status, a.Raw)
			a.Raw = firstOf(a)
			made := map[string]int{}
			by := systems.Calls(t)
			for system, ops := range by {
				for op, n := range ops {
					if !reference[op] {
						made[parts[system]] += n
					}
				}
			}
			told := costIn(t, a).BySystem
			for part := range made {
				assert.LessOrEqual(t, made[part], told[part], "%s: %v", part, by)
			}
		})
	}
}

// withCart puts a cart of the customer's, with a line, and an address into a query.
func withCart(t *testing.T, s *shop, query string, customer header) string {
	t.Helper()
	if !strings.Contains(query, "$cart") {
		return query
	}
	cart := s.newCart(t, customer)
	p := s.change(t, "cartLineAdd", map[string]any{"cartId": cart, "sku": "HL-U509-R"}, customer)
	require.Empty(t, p["userErrors"])
	const to = `{firstName:"Ann",lastName:"Lee",street:["1 Main St"],city:"Seattle",region:"WA",postcode:"98101",country:"US"}`
	return strings.NewReplacer("$cart", cart, "$to", to).Replace(query)
}

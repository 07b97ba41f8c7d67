//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Bad input is refused with its name before any upstream is asked.
func TestBadInputOnTheWebCostsNoCall(t *testing.T) {
	t.Parallel()
	s := start(t)
	query := func(q string) string { return fmt.Sprintf(`{"query":%q}`, q) }
	cases := map[string]struct {
		body    string
		headers []string
		status  int
		field   string
	}{
		"malformed SKU":          {query(`{ product(sku: "../../etc") { name } }`), nil, 400, "sku"},
		"a SKU too long":         {query(`{ product(sku: "` + strings.Repeat("a", 65) + `") { name } }`), nil, 400, "sku"},
		"malformed among many":   {query(`{ products(skus: ["HL-U509", "a b"]) { name } }`), nil, 400, "skus"},
		"too many SKUs":          {query(`{ products(skus: [` + strings.TrimSuffix(strings.Repeat(`"A",`, 101), ",") + `]) { name } }`), nil, 400, "skus"},
		"negative quantity":      {query(`{ product(sku: "HL-U509") { price(quantity: -1) { unit { amount } } } }`), nil, 400, "quantity"},
		"huge quantity":          {query(`{ product(sku: "HL-U509") { price(quantity: 100000) { unit { amount } } } }`), nil, 400, "quantity"},
		"a page too large":       {query(`{ search(first: 101) { totalCount } }`), nil, 400, "first"},
		"malformed category":     {query(`{ category(id: "a/b") { name } }`), nil, 400, "id"},
		"malformed cart":         {query(`{ cart(id: "7") { id } }`), nil, 400, "id"},
		"malformed order number": {query(`{ order(number: "' or 1=1") { number } }`), nil, 400, "number"},
		"negative line quantity": {query(`mutation { cartLineAdd(input: {cartId: "g_0123456789abcdef0123456789abcdef", sku: "HL-U509", quantity: -2}) { cart { id } } }`), nil, 400, "quantity"},
		"unknown currency":       {query(`{ product(sku: "HL-U509") { name } }`), []string{"X-Currency", "XTS"}, 400, "X-Currency"},
		"unknown channel":        {query(`{ product(sku: "HL-U509") { name } }`), []string{"X-Channel", "mars"}, 400, "X-Channel"},
		"unknown JSON field":     {`{"query":"{ __typename }","querry":"x"}`, nil, 400, "querry"},
		"wrong type":             {`{"query":"{ __typename }","variables":[]}`, nil, 400, "variables"},
		"broken JSON":            {`{"query":`, nil, 400, ""},
		"array batching":         {`[{"query":"{ __typename }"}]`, nil, 400, ""},
		"unknown field":          {query(`{ nope }`), []string{"Accept", "application/graphql-response+json"}, 400, "nope"},
		"1 MiB":                  {query(`{ product(sku: "` + strings.Repeat("a", 1<<20) + `") { name } }`), nil, 413, ""},
		"no token":               {query(`{ me { profile { email } } }`), []string{"Authorization", "Bearer garbage"}, 401, ""},
		"another content type":   {query(`{ __typename }`), []string{"Content-Type", "text/plain"}, 415, ""},
	}
	forgetCalls(t, s)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := send(t, "POST", s.Web+"/graphql", c.body, c.headers...)
			require.Equal(t, c.status, r.Status, r.Raw)
			assert.Contains(t, r.Raw, c.field)
			assert.NotContains(t, r.Raw, "etc/")
			assert.Less(t, len(r.Raw), 2000, "what was sent is not sent back")
		})
	}
	assert.Zero(t, total(calls(t, s)), "%v", calls(t, s))
	unknown := graphQL(t, s, `{ product(sku: "NO-SUCH-SKU") { name } }`, nil)
	require.Equal(t, 200, unknown.Status)
	require.Nil(t, unknown.at("data", "product"))
	require.Nil(t, unknown.at("errors"), unknown.Raw)
}

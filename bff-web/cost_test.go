package bffweb

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// priced opens a shop that shows what operations cost and refuses more than most calls.
func priced(t testing.TB, most int) *shop {
	t.Helper()
	var backend *edge.Backend
	s := open(t, func(b *edge.Backend) { backend, b.Config.Mode = b, edge.Development })
	s.handler = routes(stack{Backend: backend, verifier: tokens{s.Fixture()}, published: s.documents}, Config{Config: backend.Config, Queries: Queries{Calls: most}, Documents: documents.Config{Open: true}})
	return s
}

// calls are the cost that an answer, or the refusal, tells.
type calls struct {
	Total    int            `json:"total"`
	BySystem map[string]int `json:"bySystem"`
}

func costIn(t testing.TB, a answer) calls {
	t.Helper()
	var told struct {
		Extensions struct{ Cost *calls }
		Errors     []struct{ Extensions struct{ Cost *calls } }
	}
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &told))
	if told.Extensions.Cost != nil {
		return *told.Extensions.Cost
	}
	require.NotEmpty(t, told.Errors, a.Raw)
	require.NotNil(t, told.Errors[0].Extensions.Cost, a.Raw)
	return *told.Errors[0].Extensions.Cost
}

func TestW10_CostInCallsOfSystems(t *testing.T) {
	t.Parallel()
	s := priced(t, 40)
	for _, c := range []struct {
		query string
		want  map[string]int
	}{
		{`{__typename}`, map[string]int{}},
		{`{product(sku:"MUG-RED"){name}}`, map[string]int{"pim": 1}},
		{`{product(sku:"MUG-RED"){name price{quantity} availability{quantity} reviews{count}}}`, map[string]int{"pim": 2, "erp": 3}},
		{`{product(sku:"MUG-RED"){a:price(quantity:1){quantity} b:price(quantity:9){quantity} c:price{quantity}}}`, map[string]int{"pim": 1, "erp": 1}},
		{`{a:product(sku:"A"){price{quantity}} b:product(sku:"B"){price{quantity}} products(skus:["C","D"]){price{quantity}}}`, map[string]int{"pim": 1, "erp": 1}},
		{`{search(first:100){totalCount}}`, map[string]int{"search": 1}},
		{`{search(first:100){nodes{price{quantity} a:price(quantity:2){quantity} availability{quantity}}}}`, map[string]int{"search": 1, "pim": 1, "erp": 4}},
		{`{search(first:100){nodes{related{price{quantity}}}}}`, map[string]int{"search": 1, "pim": 1 + 1 + 6, "erp": 6}},
		{`{search(first:20){nodes{...P} edges{node{...P}}}} fragment P on Product{variants{product{availability{quantity}}}}`, map[string]int{"search": 1, "pim": 1 + 4, "erp": 8}},
		{`{a:search(first:5){nodes{name}} b:search(first:5){nodes{name}}}`, map[string]int{"search": 2, "pim": 2}},
		{`{categories{name children{name breadcrumbs{name}}}}`, map[string]int{"pim": 1}},
		{`{categories{products(first:4){nodes{price{quantity}}}}}`, map[string]int{"search": 10, "pim": 11, "erp": 10}},
		{`{category(id:"c1"){products{nodes{price{quantity}}}}}`, map[string]int{"search": 1, "pim": 2, "erp": 1}},
		{`{cart(id:"g_x"){lines{product{availability{quantity}}}}}`, map[string]int{"checkout": 3, "pim": 1, "erp": 2}},
		{`{me{profile{email} addresses{city} loyalty{points}}}`, map[string]int{"crm": 5}},
		{`{me{orders(first:5){nodes{lines{product{name}}}}}}`, map[string]int{"erp": 7, "checkout": 2, "pim": 1}},
		{`{product(sku:"A"){name price @skip(if:true){quantity}}}`, map[string]int{"pim": 1}},
		{`mutation{cartCreate{cart{lines{product{name}}}}}`, map[string]int{"checkout": 5, "pim": 1}},
	} {
		a := s.query(t, c.query, nil)
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		told := costIn(t, a)
		assert.Equal(t, c.want, told.BySystem, c.query)
		total := 0
		for _, n := range c.want {
			total += n
		}
		assert.Equal(t, total, told.Total, c.query)
	}
}

func TestW10_TooManyCallsAreRefusedBeforeAnyIsMade(t *testing.T) {
	t.Parallel()
	s := priced(t, 40)
	s.ResetCalls()
	a := s.query(t, `query($n:Int!){categories{children{products(first:$n){nodes{price{quantity}}}}}}`, map[string]any{"n": 3})
	assert.Equal(t, http.StatusBadRequest, a.Status)
	assert.Equal(t, []string{"QUERY_COST"}, a.codes())
	assert.Equal(t, "the operation would cost 101 calls of pim; at most 40", a.Errors[0].Message)
	assert.EqualValues(t, 40, a.Errors[0].Extensions["max"])
	assert.Equal(t, calls{301, map[string]int{"search": 100, "pim": 101, "erp": 100}}, costIn(t, a))
	assert.Zero(t, s.TotalCalls())
	assert.Equal(t, http.StatusOK, priced(t, 0).query(t, `{categories{children{products{totalCount}}}}`, nil).Status, "0 does not limit")
}

func TestW10_ProductionDoesNotShowTheCost(t *testing.T) {
	t.Parallel()
	assert.NotContains(t, open(t).ok(t, `{product(sku:"MUG-RED"){name}}`, nil).Raw, "cost")
}

// Nor does it matter for a published document, whose cost is known, that its answer is made
// for everyone.
func TestW10_TheCostOfAPublishedDocumentIsShown(t *testing.T) {
	t.Parallel()
	var backend *edge.Backend
	s, _ := kept(t, func(b *edge.Backend) { backend, b.Config.Mode = b, edge.Development })
	s.handler = routes(stack{Backend: backend, verifier: tokens{s.Fixture()}, published: s.documents}, Config{Config: backend.Config})
	for range 2 { // made, and kept
		a := s.named(t, idOf(trustedPage), red())
		require.Equal(t, http.StatusOK, a.Status, a.Raw)
		assert.Equal(t, calls{2, map[string]int{"pim": 1, "erp": 1}}, costIn(t, a))
	}
}

// wild writes random queries.
type wild struct{ *rand.Rand }

func (w wild) pick(words ...string) string { return words[w.IntN(len(words))] }

// some joins a few of parts, aliased now and then.
func (w wild) some(parts ...string) string {
	var b strings.Builder
	b.WriteString("__typename ")
	for i, p := range parts {
		switch w.IntN(4) {
		case 0:
			if p[1] != ':' { // it has no alias yet
				fmt.Fprintf(&b, "x%d:%s ", i, p)
			}
			fallthrough
		case 1:
			fmt.Fprintf(&b, "%s ", p)
		case 2:
			fmt.Fprintf(&b, "...{%s} ", p)
		}
	}
	return b.String()
}

func (w wild) product(depth int) string {
	parts := []string{
		"name", "breadcrumbs{name}", "variant(options:[]){product{name}}", fmt.Sprintf("price(quantity:%d){quantity}", 1+w.IntN(3)), "availability{quantity}", "reviews{count}",
		`y:availability @freshness(staleUpTo:"1m"){inStock}`, `z:price(quantity:1) @freshness(staleUpTo:"1m"){quantity}`,
	}
	if depth > 0 {
		parts = append(parts, "related{"+w.product(depth-1)+"}", "variants{sku product{"+w.product(depth-1)+"}}")
	}
	return w.some(parts...)
}

func (w wild) connection() string {
	return w.some("nodes{"+w.product(1)+"}", "edges{cursor node{"+w.product(1)+"}}", "totalCount", "facets{code}")
}

func (w wild) query(cart string) string {
	sku := func() string { return w.pick("MUG-RED", "MUG-BLUE", "LAMP-1", "BOWL-1", "NOPE") }
	search := fmt.Sprintf("(first:%d){%s}", 1+w.IntN(20), w.connection())
	parts := []string{
		fmt.Sprintf("product(sku:%q){%s}", sku(), w.product(2)), fmt.Sprintf("p:product(sku:%q){%s}", sku(), w.product(1)),
		fmt.Sprintf("products(skus:[%q %q]){%s}", sku(), sku(), w.product(1)), "search" + search, "s:search" + search,
		"categories{" + w.some("name", "breadcrumbs{name}", "products"+search, "children{"+w.some("name", "products"+search)+"}") + "}",
		"recommendations(first:3){" + w.product(1) + "}", `page(id:"home"){title}`,
		fmt.Sprintf("cart(id:%q){lines{product{%s}}}", cart, w.product(1)),
		"me{" + w.some("profile{email}", "addresses{city}", "loyalty{points}", "invoices{totalCount}", "orders{nodes{lines{product{"+w.product(1)+"}}}}") + "}",
	}
	w.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return "{" + w.some(parts[:1+w.IntN(3)]...) + "}"
}

// counted are the operations whose calls the shop counts, by the system of their role.
var counted = map[string][]commerce.Operation{
	"pim":             {commerce.OpProducts, commerce.OpRelated, commerce.OpCategoryTree, commerce.OpPages, commerce.OpReviews},
	"recommendations": {commerce.OpRecommend},
	"search":          {commerce.OpSearch},
	"erp":             {commerce.OpPrices, commerce.OpAvailability, commerce.OpInvoices},
	"crm":             {commerce.OpCustomer, commerce.OpLoyalty},
	"checkout":        {commerce.OpCartCreate, commerce.OpCartRead, commerce.OpLineAdd},
}

// The history of orders is the ERP's and the checkout's: the shop counts both as one.
var history = []commerce.Operation{commerce.OpOrders, commerce.OpOrder, commerce.OpGuestOrder}

// TestW10_NoQueryCostsMoreThanItsEstimate compares what was called with what was told
// before, for random queries.
func TestW10_NoQueryCostsMoreThanItsEstimate(t *testing.T) {
	t.Parallel()
	s := priced(t, 0)
	made := s.ok(t, `mutation{cartCreate{cart{id}}}`, nil, header{"Authorization", "Bearer C1"})
	cart, _ := at(t, made.Data, "cartCreate", "cart", "id").(string)
	s.ok(t, `mutation($c:ID!){cartLineAdd(input:{cartId:$c sku:"MUG-RED"}){cart{id}}}`, map[string]any{"c": cart}, header{"Authorization", "Bearer C1"})
	asked, answered := 0, 0
	for n := range 600 {
		w := wild{rand.New(rand.NewPCG(uint64(n), 3))} //nolint:gosec // not a secret
		s.ResetCalls()
		query := w.query(cart)
		a := s.query(t, query, nil, header{"Authorization", "Bearer C1"})
		asked++
		if a.Status != http.StatusOK {
			require.Contains(t, a.Raw, " exceeds ", query)
			require.Zero(t, s.TotalCalls())
			continue
		}
		answered++
		told := costIn(t, a)
		both := told.BySystem["erp"] + told.BySystem["checkout"]
		for system, ops := range counted {
			made := 0
			for _, op := range ops {
				made += s.Calls(op)
			}
			require.LessOrEqual(t, made, told.BySystem[system], "%s for %s", system, query)
			if system == "erp" || system == "checkout" {
				both -= made
			}
		}
		for _, op := range history {
			both -= s.Calls(op)
		}
		require.GreaterOrEqual(t, both, 0, query)
		require.LessOrEqual(t, s.TotalCalls(), told.Total, query)
	}
	assert.Greater(t, answered, asked/4, "most queries are too large to say anything")
}

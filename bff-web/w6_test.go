package bffweb

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-web/graph/generated"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// fiveSystems are the systems of a shop, with what each is asked for in a query.
var fiveSystems = []struct {
	name string
	ops  []commerce.Operation
}{
	{"pim", []commerce.Operation{commerce.OpProducts, commerce.OpRelated, commerce.OpCategoryTree, commerce.OpReviews, commerce.OpPages}},
	{"search", []commerce.Operation{commerce.OpSearch, commerce.OpRecommend}},
	{"erp", []commerce.Operation{commerce.OpPrices, commerce.OpAvailability, commerce.OpOrders, commerce.OpOrder, commerce.OpInvoices}},
	{"crm", []commerce.Operation{commerce.OpCustomer, commerce.OpLoyalty}},
	{"checkout", []commerce.Operation{commerce.OpCartRead, commerce.OpShippingOptions}},
}

// wholeShop asks every system for all that it has.
const wholeShop = `query Everything($cart: ID!, $to: AddressInput!, $own: Boolean!) {
  product(sku: "MUG-RED") { sku price { unit { amount } } availability { quantity } reviews { count } related { sku price { unit { amount } } } variants { product { name } } variant(options: [{code: "color", value: "Blue"}]) { sku } breadcrumbs { name } }
  products(skus: ["MUG-RED", "LAMP-1"]) { sku price { unit { amount } } }
  search(text: "lamp") { totalCount nodes { sku price { unit { amount } } } }
  categories { id name }
  pages(ids: ["home"]) { title }
  recommendations(skus: ["MUG-RED"], first: 1) @include(if: $own) { sku price { unit { amount } } }
  category(id: "kitchen") { name parent { name } breadcrumbs { name } products(first: 2) { totalCount nodes { sku } } }
  cart(id: $cart) @include(if: $own) { id shippingOptions(address: $to) { code } totals { total { amount } } lines { sku product { sku price { unit { amount } } } } }
  me @include(if: $own) { profile { email } addresses { city } loyalty { points } invoices { totalCount } orders { totalCount nodes { number lines { product { sku } } } } }
  order(number: "000000007") @include(if: $own) { number lines { sku product { sku } } }
}`

// shopParts are the parts of the answer that can be missing on their own, each with the
// systems that it needs beside those of the part that it is in.
var shopParts = map[string][]string{
	"product":                           {"pim"},
	"product/price":                     {"erp"},
	"product/availability":              {"erp"},
	"product/reviews":                   {"pim"},
	"product/related":                   {"pim"},
	"product/related/0/price":           {"erp"},
	"product/variants/0/product":        {"pim"},
	"products/0":                        {"pim"},
	"products/0/price":                  {"erp"},
	"products/1":                        {"pim"},
	"search":                            {"search"},
	"search/nodes/0":                    {"pim"},
	"search/nodes/0/price":              {"erp"},
	"product/breadcrumbs":               {"pim"},
	"pages/0":                           {"pim"},
	"category/breadcrumbs":              {"pim"},
	"category/parent":                   {"pim"},
	"cart/shippingOptions":              {"checkout"},
	"me/invoices":                       {"erp"},
	"categories":                        {"pim"},
	"category":                          {"pim"},
	"category/products":                 {"search"},
	"category/products/nodes/0":         {"pim"},
	"cart":                              {"checkout"},
	"cart/lines/0/product":              {"pim"},
	"cart/lines/0/product/price":        {"erp"},
	"me":                                {},
	"me/profile":                        {"crm"},
	"me/addresses":                      {"crm"},
	"me/loyalty":                        {"crm"},
	"me/orders":                         {"erp"},
	"me/orders/nodes/0/lines/0/product": {"pim"},
	"order":                             {"erp"},
	"order/lines/0/product":             {"pim"},
}

// A system whose every operation of the channel is taken down is down: no operation is
// left out, and no root field of the schema.
func TestW6_TheWholeShopIsAsked(t *testing.T) {
	t.Parallel()
	s, cart := loaded(t)
	var taken []commerce.Operation
	for _, system := range fiveSystems {
		taken = append(taken, system.ops...)
	}
	for op, traits := range s.Ports().Traits {
		if traits.Access == commerce.Read && !slices.Contains(notAskedByQueries, op) {
			assert.Contains(t, taken, op)
		}
	}
	s.ResetCalls()
	a := s.ok(t, wholeShop, map[string]any{"cart": cart, "to": object(t, addressJSON), "own": true}, header{"Authorization", "Bearer C1"})
	for _, op := range taken {
		assert.Positive(t, s.Calls(op), "%s is asked by no field of the query", op)
	}
	for _, f := range generated.NewExecutableSchema(generated.Config{}).Schema().Query.Fields {
		if !strings.HasPrefix(f.Name, "__") && !slices.Contains(ofOthers, f.Name) {
			assert.Contains(t, a.Data, f.Name)
		}
	}
	for path := range shopParts {
		assert.NotNil(t, dig(a.Data, path), path)
	}
}

// ofOthers are root fields that read what others in the query read, of ten that it may have.
var ofOthers = []string{"page", "shippingOptions"}

// notAskedByQueries is read by changes, with a token of a guest's order, or by apps that keep a copy.
var notAskedByQueries = []commerce.Operation{commerce.OpPrepare, commerce.OpReconcile, commerce.OpGuestOrder, commerce.OpSKUs, commerce.OpPageIDs}

// TestW6_AllCombinationsOfDeadAndHungSystems takes all 32 combinations of systems down,
// dead and hung: what needs none of them stands, what needs one is null, with an error
// that names it. Nobody waits longer than a load may take; what is one customer's own is
// loaded for nobody else, and may take as long as the request.
func TestW6_AllCombinationsOfDeadAndHungSystems(t *testing.T) {
	t.Parallel()
	for mask := range 1 << len(fiveSystems) {
		for name, c := range map[string]struct {
			hang, own bool
			kind      string
			most      time.Duration
		}{
			"dead":             {false, true, "UNAVAILABLE", 0},
			"hung":             {true, true, "TIMEOUT", requestTimeout},
			"hung, for anyone": {true, false, "TIMEOUT", hardTimeout},
		} {
			t.Run(fmt.Sprintf("%05b %s", mask, name), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s, cart := loaded(t)
					down := s.takeDown(mask, c.hang)
					began := time.Now()
					a := s.query(t, wholeShop, map[string]any{"cart": cart, "to": object(t, addressJSON), "own": c.own}, header{"Authorization", "Bearer C1"})
					assert.LessOrEqual(t, time.Since(began), c.most+5*time.Millisecond)
					checkWhatIsLeft(t, a, down, c.kind)
				})
			})
		}
	}
}

const (
	hardTimeout    = time.Second
	requestTimeout = 5 * time.Second
)

// loaded is a shop behind a cold cache with a cart in it, in the customer's name.
func loaded(t *testing.T) (s *shop, cart string) {
	t.Helper()
	s = open(t, func(b *edge.Backend) {
		c, err := cache.New(cache.Config{HardTimeout: hardTimeout}, cache.Deps{Log: b.Log})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		b.Ports = c.Wrap(b.Ports)
		b.Config.Limits.RequestTimeout = requestTimeout
	})
	shopper := commerce.Shopper{Market: s.Fixture().Market, Principal: s.Fixture().Customer}
	made, err := s.Ports().Carts.Create(t.Context(), shopper)
	require.NoError(t, err)
	_, err = s.Ports().CartLines.AddLine(t.Context(), shopper, made.ID, "MUG-RED", 1)
	require.NoError(t, err)
	return s, string(made.ID)
}

// takeDown ends the systems of mask, or makes them hang, and answers their names.
func (s *shop) takeDown(mask int, hang bool) (down []string) {
	for i, system := range fiveSystems {
		if mask&(1<<i) == 0 {
			continue
		}
		down = append(down, system.name)
		for _, op := range system.ops {
			if hang {
				s.Hold(op, func(ctx context.Context) { <-ctx.Done() })
				continue
			}
			s.Fail(op, commerce.ErrUnavailable)
		}
	}
	return down
}

func checkWhatIsLeft(t *testing.T, a answer, down []string, kind string) {
	t.Helper()
	require.Equal(t, http.StatusOK, a.Status)
	require.NotNil(t, a.Data, "an optional part never wipes the answer: %s", a.Raw)
	missing := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(shopParts)) { // what holds others comes first
		if _, asked := a.Data[strings.Split(path, "/")[0]]; !asked {
			continue
		}
		within := enclosing(path, missing)
		lost := slices.ContainsFunc(shopParts[path], func(system string) bool { return slices.Contains(down, system) })
		assert.Equal(t, !lost && !within, dig(a.Data, path) != nil, "%s without %v: %s", path, down, a.Raw)
		if lost && !within {
			missing[path] = true
			assert.Contains(t, a.blamed(), path, a.Raw)
		}
	}
	for _, e := range a.Errors {
		assert.Equal(t, kind, e.Extensions["code"], a.Raw)
	}
	assert.Len(t, a.Extensions.Freshness, len(a.Errors), "what is missing is listed: %s", a.Raw)
	assert.Equal(t, len(missing) > 0, len(a.Errors) > 0, a.Raw)
}

func enclosing(path string, missing map[string]bool) bool {
	for outer := range missing {
		if strings.HasPrefix(path, outer+"/") {
			return true
		}
	}
	return false
}

// blamed are the paths of the errors.
func (a answer) blamed() []string {
	var paths []string
	for _, e := range a.Errors {
		steps := make([]string, len(e.Path))
		for i, step := range e.Path {
			steps[i] = fmt.Sprint(step)
		}
		paths = append(paths, strings.Join(steps, "/"))
	}
	return paths
}

// dig is the value at a path, or nil where anything on the way is missing.
func dig(v any, path string) any {
	for step := range strings.SplitSeq(path, "/") {
		switch holder := v.(type) {
		case map[string]any:
			v = holder[step]
		case []any:
			if v = nil; len(holder) > 0 {
				v = holder[step[0]-'0'] // of lists, parts name the first two
			}
		default:
			return nil
		}
	}
	return v
}

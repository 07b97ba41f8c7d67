package bffweb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// systems are the shop's roles, with the operations that go down together and
// the root fields, or parts of a product, that then are null.
var systems = []struct {
	name string
	ops  []commerce.Operation
	gone []string
}{
	{"PIM", []commerce.Operation{commerce.OpProducts, commerce.OpRelated, commerce.OpCategoryTree, commerce.OpReviews}, []string{"categories"}},
	{"search", []commerce.Operation{commerce.OpSearch}, []string{"search"}},
	{"ERP", []commerce.Operation{commerce.OpPrices, commerce.OpAvailability, commerce.OpOrders}, []string{"orders"}},
	{"CRM", []commerce.Operation{commerce.OpCustomer, commerce.OpLoyalty}, []string{"profile", "addresses", "loyalty"}},
}

const everything = `{
  product(sku: "MUG-RED") { sku price { unit { amount } } availability { quantity } reviews { count } related { sku } }
  search(text: "lamp") { totalCount nodes { sku price { unit { amount } } } }
  categories { id }
  me { profile { email } addresses { city } loyalty { points } orders { totalCount } }
}`

// TestW6_AnySystemsDown takes every combination of systems down.
func TestW6_AnySystemsDown(t *testing.T) {
	t.Parallel()
	for mask := range 1 << len(systems) {
		t.Run(fmt.Sprintf("%04b", mask), func(t *testing.T) {
			t.Parallel()
			s := open(t)
			down := map[string]bool{}
			for i, system := range systems {
				if mask&(1<<i) == 0 {
					continue
				}
				down[system.name] = true
				for _, op := range system.ops {
					s.Fail(op, commerce.ErrUnavailable)
				}
				for _, part := range system.gone {
					down[part] = true
				}
			}
			a := s.query(t, everything, nil, header{"Authorization", "Bearer C1"})
			require.Equal(t, http.StatusOK, a.Status)
			checkParts(t, a, down)
			for _, e := range a.Errors {
				assert.Equal(t, "UNAVAILABLE", e.Extensions["code"], a.Raw)
				assert.Equal(t, "unavailable now", e.Message)
				assert.NotEmpty(t, e.Path)
			}
			assert.Len(t, a.Extensions.Freshness, len(a.Errors), "what is missing is listed: %s", a.Raw)
			assert.Equal(t, mask != 0, len(a.Errors) > 0)
		})
	}
}

func checkParts(t *testing.T, a answer, down map[string]bool) {
	t.Helper()
	assert.Equal(t, down["PIM"], at(t, a.Data, "product") == nil, a.Raw)
	assert.Equal(t, down["categories"], at(t, a.Data, "categories") == nil, a.Raw)
	assert.Equal(t, down["search"], at(t, a.Data, "search") == nil, a.Raw)
	for _, part := range []string{"profile", "addresses", "loyalty", "orders"} {
		if part == "orders" {
			continue // the checkout knows the orders too
		}
		assert.Equal(t, down[part], at(t, a.Data, "me", part) == nil, "%s: %s", part, a.Raw)
	}
	if down["PIM"] {
		return
	}
	assert.NotNil(t, at(t, a.Data, "product", "reviews"))
	assert.Equal(t, down["ERP"], at(t, a.Data, "product", "price") == nil, a.Raw)
	assert.Equal(t, down["ERP"], at(t, a.Data, "product", "availability") == nil, a.Raw)
	if !down["search"] {
		assert.Equal(t, "LAMP-1", at(t, a.Data, "search", "nodes", 0, "sku"))
		assert.Equal(t, down["ERP"], at(t, a.Data, "search", "nodes", 0, "price") == nil, a.Raw)
	}
}

func TestListElementsFailOneByOne(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Fail(commerce.OpProducts, &commerce.BatchError[commerce.SKU]{Errs: map[commerce.SKU]error{
		"MUG-RED": commerce.ErrTimeout, "LAMP-1": commerce.ErrTimeout,
	}})
	a := s.query(t, `{products(skus:["MUG-RED","BOWL-1"]){sku} search(first:2,sort:NAME){edges{node{sku}}}}`, nil)
	assert.Nil(t, at(t, a.Data, "products", 0))
	require.Len(t, a.Errors, 1, a.Raw)
	assert.Equal(t, []any{"products", 0.0}, a.Errors[0].Path)
	assert.Equal(t, "TIMEOUT", a.Errors[0].Extensions["code"])
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
}

// TestW4_ErrorsTellNothingInternal holds that causes go to the log only.
func TestW4_ErrorsTellNothingInternal(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Fail(commerce.OpProducts, errors.New("c4n4ry: dial tcp 10.0.0.1:443"))
	s.Fail(commerce.OpSearch, &commerce.CallError{
		System: "odoo", Operation: commerce.OpSearch, Kind: commerce.ErrUpstream, Err: errors.New("c4n4ry <html>https://pim.internal/"),
	})
	a := s.query(t, `{product(sku:"MUG-RED"){name} search{totalCount}}`, nil, header{"X-Request-Id", "my-id"})
	assert.ElementsMatch(t, []string{"INTERNAL", "UPSTREAM_ERROR"}, a.codes(), a.Raw)
	for _, e := range a.Errors {
		assert.Equal(t, "my-id", e.Extensions["requestId"])
		assert.Len(t, e.Extensions, 2)
	}
	for _, leak := range []string{"c4n4ry", "10.0.0.1", "internal/", "html"} {
		assert.NotContains(t, a.Raw, leak)
	}
	assert.Equal(t, 1, strings.Count(s.log.String(), `"internal error"`), s.log.String())
	assert.Contains(t, s.log.String(), "10.0.0.1")

	a = s.query(t, `{produkt(sku:"MUG-RED"){name} product(skuu:"x"){nam}}`, nil)
	assert.NotContains(t, a.Raw, "Did you mean")
	a = s.query(t, `{__schema{types{name}}}`, nil)
	assert.Contains(t, a.Raw, "introspection is disabled")
	a = s.query(t, `{ c4n4ry "`, nil)
	assert.NotContains(t, a.Raw, "c4n4ry")
}

func TestW9_APanicFailsItsFieldOnly(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Hold(commerce.OpPrices, func(context.Context) { panic("c4n4ry") })
	a := s.query(t, `{products(skus:["MUG-RED","LAMP-1"]){name price{unit{amount}}}}`, nil)
	assert.Equal(t, http.StatusOK, a.Status)
	assert.Equal(t, []string{"INTERNAL", "INTERNAL"}, a.codes(), a.Raw)
	assert.Equal(t, "Red mug", at(t, a.Data, "products", 0, "name"))
	assert.NotContains(t, a.Raw, "c4n4ry")
	s.Hold(commerce.OpSearch, func(context.Context) { panic("c4n4ry") })
	a = s.query(t, `{search{totalCount} product(sku:"MUG-RED"){name}}`, nil)
	assert.Equal(t, []string{"INTERNAL"}, a.codes(), a.Raw)
	assert.Equal(t, "Red mug", at(t, a.Data, "product", "name"))

	s.Hold(commerce.OpPrices, nil)
	s.Hold(commerce.OpSearch, nil)
	for range 1000 {
		s.ok(t, `{product(sku:"MUG-RED"){price{unit{amount}}}}`, nil)
	}
}

func TestDeadlineEndsWhatHangs(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) { b.Config.Limits.RequestTimeout = 4 * time.Second })
	s.Hold(commerce.OpPrices, func(ctx context.Context) { <-ctx.Done() })
	a := s.query(t, `{product(sku:"MUG-RED"){name price{unit{amount}}}}`, nil)
	assert.Equal(t, http.StatusOK, a.Status)
	assert.Equal(t, []string{"TIMEOUT"}, a.codes(), a.Raw)
	assert.Equal(t, "Red mug", at(t, a.Data, "product", "name"))
}

func TestUnknownProductDoesNotWaitForItsPrice(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Hold(commerce.OpPrices, func(ctx context.Context) { <-ctx.Done() })
	a := s.ok(t, `{product(sku:"NO-SUCH-SKU"){price{unit{amount}}}}`, nil)
	assert.JSONEq(t, `{"data":{"product":null}}`, a.Raw)
}

// stalePrices reports like a cache whose source is down.
type stalePrices struct{ commerce.Pricing }

func (p stalePrices) Prices(ctx context.Context, m commerce.Market, g commerce.PriceGroup, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	for _, key := range keys {
		commerce.Report(ctx, commerce.Source{
			System: "odoo", Operation: commerce.OpPrices, Key: fmt.Sprint(key), State: commerce.StateStale,
			Age: 90 * time.Second, Reason: commerce.ReasonTimeout,
		})
	}
	return p.Pricing.Prices(ctx, m, g, keys)
}

func TestFreshnessNamesWhatIsStale(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) { b.Ports.Pricing = stalePrices{b.Ports.Pricing} })
	a := s.ok(t, `{ products(skus:["MUG-RED"]) { name price { unit { amount } } } other: product(sku:"LAMP-1") { cost: price { unit { amount } } } }`, nil)
	require.Len(t, a.Extensions.Freshness, 2, a.Raw)
	byPath := map[string]bool{}
	for _, f := range a.Extensions.Freshness {
		byPath[fmt.Sprint(f.Path)] = true
		assert.Equal(t, "odoo", f.Source)
		assert.Equal(t, "stale", f.State)
		assert.Equal(t, int64(90_000), f.AgeMS)
		assert.Equal(t, "timeout", f.Reason)
	}
	assert.Equal(t, map[string]bool{"[products 0 price]": true, "[other cost]": true}, byPath)
	assert.Equal(t, "max-age=0", a.Header.Get("Cache-Control"))
	a = s.ok(t, `{product(sku:"MUG-RED"){name}}`, nil)
	assert.NotContains(t, a.Raw, "freshness", "nothing that is fresh is listed")
}

// TestFreshnessIsSilentOnBadInput holds that no system is blamed for what the
// caller asked for.
func TestFreshnessIsSilentOnBadInput(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Fail(commerce.OpSearch, &commerce.InputError{Field: "after", Code: commerce.CodeInvalid, Message: "must be an endCursor"})
	a := s.query(t, `{ search(text: "lamp", after: "other") { totalCount } }`, nil)
	require.Equal(t, []string{"BAD_USER_INPUT"}, a.codes(), a.Raw)
	assert.Empty(t, a.Extensions.Freshness, a.Raw)
	assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
}

package bffmobile

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

func degradedOf(t *testing.T, a answer) []api.Degraded {
	t.Helper()
	var shown struct{ Degraded []api.Degraded }
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &shown), a.Raw)
	return shown.Degraded
}

// Each port failing in turn takes its own parts from a screen and nothing else.
func TestAFailingPortTakesItsPartsOnly(t *testing.T) {
	t.Parallel()
	ann := []string{"Authorization", "Bearer C1"}
	home, product := get("/v1/screens/home"), get("/v1/screens/products/MUG-RED")
	category, search := get("/v1/screens/categories/kitchen"), get("/v1/screens/search?q=mug")
	account := get("/v1/screens/account", ann...)
	cart := get("/v1/screens/cart/" + guestCart)
	checkout := get("/v1/screens/checkout/"+guestCart, ann...)
	for name, c := range map[string]struct {
		call
		op    commerce.Operation
		parts []string // empty means that the screen fails
	}{
		"home, tree":             {home, commerce.OpCategoryTree, []string{"categories"}},
		"home, page":             {home, commerce.OpPages, []string{"page"}},
		"home, search":           {home, commerce.OpSearch, []string{"featured"}},
		"home, products":         {home, commerce.OpProducts, []string{"featured.items"}},
		"home, prices":           {home, commerce.OpPrices, []string{"featured.price"}},
		"home, availability":     {home, commerce.OpAvailability, []string{"featured.availability"}},
		"category, tree":         {category, commerce.OpCategoryTree, nil},
		"category, search":       {category, commerce.OpSearch, []string{"products"}},
		"category, products":     {category, commerce.OpProducts, []string{"products.items"}},
		"category, prices":       {category, commerce.OpPrices, []string{"products.price"}},
		"search, search":         {search, commerce.OpSearch, nil},
		"search, products":       {search, commerce.OpProducts, []string{"products.items"}},
		"search, availability":   {search, commerce.OpAvailability, []string{"products.availability"}},
		"product, products":      {product, commerce.OpProducts, nil},
		"product, tree":          {product, commerce.OpCategoryTree, []string{"breadcrumbs"}},
		"product, prices":        {product, commerce.OpPrices, []string{"price"}},
		"product, availability":  {product, commerce.OpAvailability, []string{"availability"}},
		"product, reviews":       {product, commerce.OpReviews, []string{"reviews"}},
		"product, related":       {product, commerce.OpRelated, []string{"related"}},
		"cart, cart":             {cart, commerce.OpCartRead, nil},
		"cart, products":         {cart, commerce.OpProducts, []string{"lines.image"}},
		"cart, availability":     {cart, commerce.OpAvailability, []string{"lines.available"}},
		"checkout, cart":         {checkout, commerce.OpCartRead, nil},
		"checkout, customer":     {checkout, commerce.OpCustomer, []string{"addresses", "shippingOptions"}},
		"checkout, options":      {checkout, commerce.OpShippingOptions, []string{"shippingOptions"}},
		"checkout, stock":        {checkout, commerce.OpAvailability, []string{}},
		"account, profile":       {account, commerce.OpCustomer, []string{"profile"}},
		"account, loyalty":       {account, commerce.OpLoyalty, []string{"loyalty"}},
		"account, orders":        {account, commerce.OpOrders, []string{"orders"}},
		"orders, orders":         {get("/v1/orders", ann...), commerce.OpOrders, nil},
		"order, order":           {get("/v1/orders/000000007", ann...), commerce.OpOrder, nil},
		"product, cart is apart": {product, commerce.OpCartRead, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			s.filled(t)
			s.Fail(c.op, commerce.ErrUnavailable)
			a := s.checked(t, c.call)
			if c.parts == nil {
				require.Equal(t, http.StatusServiceUnavailable, a.Status, a.Raw)
				return
			}
			require.Equal(t, http.StatusOK, a.Status, a.Raw)
			parts := []string{}
			for _, d := range degradedOf(t, a) {
				require.Equal(t, api.Degraded{Part: d.Part, Source: "shop", State: api.DegradedMissing, Reason: "unavailable"}, d)
				parts = append(parts, d.Part)
			}
			require.Equal(t, c.parts, parts, a.Raw)
			if len(parts) > 0 {
				require.Contains(t, a.Header.Get("Cache-Control"), "no-store")
			}
		})
	}
}

func TestHomeFailsWhenNothingCanBeHad(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, op := range []commerce.Operation{commerce.OpCategoryTree, commerce.OpPages, commerce.OpSearch} {
		s.Fail(op, commerce.ErrTimeout)
	}
	require.Equal(t, http.StatusGatewayTimeout, s.checked(t, get("/v1/screens/home")).Status)
}

// reportingReviews says of its answers what sources tell.
type reportingReviews struct {
	next    commerce.Reviews
	sources []commerce.Source
}

func (r reportingReviews) Reviews(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	commerce.Report(ctx, r.sources...)
	return r.next.Reviews(ctx, m, skus)
}

func TestStateDecidesWhoMayKeepTheAnswer(t *testing.T) {
	t.Parallel()
	source := func(state commerce.State, age time.Duration) commerce.Source {
		return commerce.Source{System: "pim", Operation: commerce.OpReviews, Key: "MUG-RED", State: state, Age: age, Reason: commerce.ReasonTimeout, RetryAfter: time.Second}
	}
	for name, c := range map[string]struct {
		sources []commerce.Source
		headers []string
		control string
		want    []api.Degraded
	}{
		"unproven": {[]commerce.Source{source(commerce.StateFresh, 0)}, nil, "private, no-store", nil},
		"stale, oldest counts": {
			[]commerce.Source{source(commerce.StateStale, time.Second), source(commerce.StateStale, time.Minute)},
			nil, "private, no-store",
			[]api.Degraded{{Part: "reviews", Source: "pim", State: api.DegradedStale, AgeMs: 60_000, Reason: "timeout", RetryAfterMs: 1000}},
		},
		"filler": {
			[]commerce.Source{source(commerce.StateFiller, 0)},
			nil, "no-store",
			[]api.Degraded{{Part: "reviews", Source: "pim", State: api.DegradedFiller, Reason: "timeout", RetryAfterMs: 1000}},
		},
		"stale for a customer": {
			[]commerce.Source{source(commerce.StateStale, time.Second)},
			[]string{"Authorization", "Bearer C1"},
			"private, no-store",
			[]api.Degraded{{Part: "reviews", Source: "pim", State: api.DegradedStale, AgeMs: 1000, Reason: "timeout", RetryAfterMs: 1000}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, func(b *edge.Backend) { b.Ports.Reviews = reportingReviews{b.Ports.Reviews, c.sources} })
			a := s.checked(t, get("/v1/screens/products/MUG-RED", c.headers...))
			require.Equal(t, http.StatusOK, a.Status, a.Raw)
			require.Equal(t, c.control, a.Header.Get("Cache-Control"))
			require.Equal(t, c.want, degradedOf(t, a))
		})
	}
}

// A part that hangs costs the screen its part, not the screen.
func TestM5_AHungPartEndsBeforeTheRequestDoes(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) { b.Config.Limits.RequestTimeout = 4 * time.Second })
	s.Hold(commerce.OpReviews, func(ctx context.Context) { <-ctx.Done() })
	a := s.checked(t, get("/v1/screens/products/MUG-RED"))
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Equal(t, []api.Degraded{{Part: "reviews", Source: "shop", State: api.DegradedMissing, Reason: "timeout"}}, degradedOf(t, a))

	s.Hold(commerce.OpProducts, func(ctx context.Context) { <-ctx.Done() })
	require.Equal(t, http.StatusGatewayTimeout, s.checked(t, get("/v1/screens/products/MUG-RED")).Status)
}

func TestAPanicIsAProblemOrAMissingPart(t *testing.T) {
	t.Parallel()
	s := open(t)
	boom := func(context.Context) { panic("boom") }
	s.Hold(commerce.OpReviews, boom)
	a := s.checked(t, get("/v1/screens/products/MUG-RED"))
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Len(t, degradedOf(t, a), 1)

	s.Hold(commerce.OpLineAdd, boom)
	a = s.checked(t, call{"POST", "/v1/carts/" + guestCart + "/lines", `{"sku":"MUG-RED","quantity":1}`, nil})
	require.Equal(t, http.StatusInternalServerError, a.Status, a.Raw)
	require.Contains(t, a.Raw, `"internal error"`)
	require.NotContains(t, a.Raw, "boom")
	require.Contains(t, s.log.String(), "boom")
	require.Equal(t, http.StatusOK, s.send(t, get("/v1/screens/home")).Status)
}

func TestPartsAreLoadedAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	all := []commerce.Operation{commerce.OpProducts, commerce.OpPrices, commerce.OpAvailability, commerce.OpReviews, commerce.OpRelated, commerce.OpCategoryTree}
	arrived := make(chan struct{}, 10*len(all))
	together := make(chan struct{})
	for _, op := range all {
		s.Hold(op, func(ctx context.Context) {
			arrived <- struct{}{}
			select {
			case <-together:
			case <-ctx.Done():
			}
		})
	}
	go func() {
		for range all {
			<-arrived
		}
		close(together)
	}()
	a := s.checked(t, get("/v1/screens/products/MUG-RED"))
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	require.Empty(t, degradedOf(t, a))
}

func TestTooManyRequestsInFlightAreRefused(t *testing.T) {
	t.Parallel()
	s := open(t, func(b *edge.Backend) { b.Config.Limits.MaxInFlight = 1 })
	entered, leave := make(chan struct{}), make(chan struct{})
	s.Hold(commerce.OpSearch, func(context.Context) { close(entered); <-leave })
	done := make(chan int)
	request := get("/v1/screens/search").request(t)
	go func() { done <- s.quietly(request) }()
	<-entered
	refused := s.send(t, get("/v1/screens/search"))
	require.Equal(t, http.StatusServiceUnavailable, refused.Status, refused.Raw)
	require.Equal(t, "1", refused.Header.Get("Retry-After"))
	s.Hold(commerce.OpSearch, nil)
	close(leave)
	require.Equal(t, http.StatusOK, <-done)
	require.Equal(t, http.StatusOK, s.send(t, get("/v1/screens/search")).Status)
}

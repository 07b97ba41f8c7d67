package graphhttp

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/timing/timingtest"
	"github.com/portico-bff/portico/schema/commerce"
)

var update = flag.Bool("update", false, "write the golden files anew")

const ms = time.Millisecond

// upstreams stand in for systems: they record their calls as the transport does, and
// take the bubble's time.
type upstreams struct{ down bool }

var errOpen = &commerce.CallError{
	System: "odoo", Operation: commerce.OpAvailability, Kind: commerce.ErrUnavailable, Reason: commerce.ReasonBreakerOpen, RetryAfter: 800 * ms,
}

// tried makes attempt n of r: its own time, or ended from outside.
func tried(r *commerce.CallRecord, takes time.Duration, status int, outcome string) {
	n := r.Attempt(false)
	time.Sleep(takes)
	r.Attempted(n, status, outcome)
}

// Products answers at once.
func (u *upstreams) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	r := commerce.TrailOf(ctx).Record("pimcore", commerce.OpProducts, "")
	tried(r, 20*ms, 200, "ok")
	r.Answered(4096, 1100)
	r.End("ok", 0)
	found := map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		found[sku] = &commerce.Product{SKU: sku}
	}
	return found, nil
}

// Prices needs a second attempt, and a lookup before.
func (u *upstreams) Prices(ctx context.Context, _ commerce.Market, _ commerce.PriceGroup, keys []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	r := commerce.TrailOf(ctx).Record("odoo", commerce.OpPrices, "product.product.search_read")
	tried(r, 10*ms, 503, "unavailable")
	time.Sleep(15 * ms)
	n := r.Attempt(false)
	time.Sleep(8 * ms)
	r.Queued(n, 8*ms)
	time.Sleep(30 * ms)
	r.Attempted(n, 200, "ok")
	r.Answered(900, -1)
	r.End("ok", 0)
	commerce.Mark(ctx, commerce.ReasonRetried)
	found := map[commerce.PriceKey]*commerce.Price{}
	for _, key := range keys {
		found[key] = &commerce.Price{SKU: key.SKU}
	}
	return found, nil
}

// Reviews are slow, so that a hedge is first.
func (u *upstreams) Reviews(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	r := commerce.TrailOf(ctx).Record("pimcore", commerce.OpReviews, "")
	first := r.Attempt(false)
	time.Sleep(25 * ms)
	hedge := r.Attempt(true)
	time.Sleep(5 * ms)
	r.Attempted(hedge, 200, "ok")
	r.Attempted(first, 0, "canceled")
	r.Answered(300, 300)
	r.End("ok", 0)
	found := map[commerce.SKU]*commerce.ReviewSummary{}
	for _, sku := range skus {
		found[sku] = &commerce.ReviewSummary{SKU: sku}
	}
	return found, nil
}

// Availability is refused by an open breaker once the system is down.
func (u *upstreams) Availability(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	r := commerce.TrailOf(ctx).Record("odoo", commerce.OpAvailability, "stock.quant.search_read")
	if u.down {
		tried(r, 0, 0, "breaker-open")
		r.End("breaker-open", 800*ms)
		return nil, errOpen
	}
	tried(r, 10*ms, 200, "ok")
	r.End("ok", 0)
	found := map[commerce.SKU]*commerce.Availability{}
	for _, sku := range skus {
		found[sku] = &commerce.Availability{SKU: sku}
	}
	return found, nil
}

// Pages never come once the system is down.
func (u *upstreams) Pages(ctx context.Context, _ commerce.Market, ids []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	r := commerce.TrailOf(ctx).Record("pimcore", commerce.OpPages, "")
	n := r.Attempt(false)
	if u.down {
		time.Sleep(time.Second)
	}
	r.Attempted(n, 200, "ok")
	r.End("ok", 0)
	found := map[commerce.PageID]*commerce.Page{}
	for _, id := range ids {
		found[id] = &commerce.Page{ID: id}
	}
	return found, nil
}

// Related takes longer than anybody who asks later has to wait for it.
func (u *upstreams) Related(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	r := commerce.TrailOf(ctx).Record("pimcore", commerce.OpRelated, "")
	tried(r, 40*ms, 200, "ok")
	r.End("ok", 0)
	return map[commerce.SKU][]commerce.RelatedProduct{skus[0]: {{SKU: "B"}}}, nil
}

func cachedUpstreams(t *testing.T, u *upstreams) commerce.Ports {
	t.Helper()
	c, err := cache.New(cache.Config{}, cache.Deps{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	traits := map[commerce.Operation]commerce.Traits{}
	for op, system := range map[commerce.Operation]string{
		commerce.OpProducts: "pimcore", commerce.OpReviews: "pimcore", commerce.OpPages: "pimcore", commerce.OpRelated: "pimcore",
		commerce.OpPrices: "odoo", commerce.OpAvailability: "odoo",
	} {
		traits[op] = commerce.Traits{System: system, Operation: op, Access: commerce.Read, Scope: commerce.ScopePublic}
	}
	return c.Wrap(commerce.Ports{Catalog: u, Pricing: u, Reviews: u, Inventory: u, Content: u, Related: u, Traits: traits})
}

// One request meets all that can happen: a call that is fast, one that is retried, one
// that is hedged, one that an open breaker refuses, one that another request began, one
// that is given up for a stale answer, one past the cache, and memory.
func TestTheWaterfallOfARequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := &upstreams{}
		ports, m := cachedUpstreams(t, u), commerce.Market{Channel: "us", Locale: "en", Currency: "USD", Country: "US"}
		must := func(_ any, err error) { assert.NoError(t, err) }
		must(ports.Content.Pages(t.Context(), m, []commerce.PageID{"home"}))
		time.Sleep(time.Hour) // the page is good for nothing but an outage
		must(ports.Inventory.Availability(t.Context(), m, []commerce.SKU{"A"}))
		must(ports.Catalog.Products(t.Context(), m, []commerce.SKU{"warm"}))
		u.down = true
		time.Sleep(time.Minute) // stock is stale; what is warm is not
		other := make(chan struct{})
		go func() {
			defer close(other)
			must(ports.Related.Related(t.Context(), m, []commerce.SKU{"A"}))
		}()
		time.Sleep(15 * ms)

		began := time.Now()
		ctx, sink := commerce.WithSink(traced(t.Context(), began))
		ctx, own := commerce.WithTrail(ctx)
		time.Sleep(ms)
		var wg sync.WaitGroup
		wg.Go(func() { must(ports.Catalog.Products(ctx, m, []commerce.SKU{"A", "B"})) })
		wg.Go(func() { must(ports.Catalog.Products(ctx, m, []commerce.SKU{"warm"})) })
		wg.Go(func() { must(ports.Pricing.Prices(ctx, m, "list", []commerce.PriceKey{{SKU: "A", Quantity: 1}})) })
		wg.Go(func() { must(ports.Reviews.Reviews(ctx, m, []commerce.SKU{"A"})) })
		wg.Go(func() { _, _ = ports.Inventory.Availability(ctx, m, []commerce.SKU{"A", "C"}) })
		wg.Go(func() { must(ports.Related.Related(ctx, m, []commerce.SKU{"A"})) })
		wg.Go(func() { must(ports.Content.Pages(ctx, m, []commerce.PageID{"home"})) })
		wg.Wait()
		r := own.Record("magento", commerce.OpCartRead, "")
		tried(r, 12*ms, 200, "ok")
		r.Answered(700, 700)
		r.End("ok", 0)
		time.Sleep(2 * ms)

		made := outcome{response: &graphql.Response{}, sources: sink.Lists(nil)}.told(ctx, func(see func(commerce.Operation, string, ast.Path)) {
			see(commerce.OpProducts, "A", ast.Path{ast.PathName("search"), ast.PathName("nodes"), ast.PathIndex(0)})
			see(commerce.OpProducts, "B", ast.Path{ast.PathName("search"), ast.PathName("nodes"), ast.PathIndex(1)})
			see(commerce.OpProducts, "warm", ast.Path{ast.PathName("product")})
			see(commerce.OpPrices, "{A 1}", ast.Path{ast.PathName("search"), ast.PathName("nodes"), ast.PathIndex(0), ast.PathName("price")})
			see(commerce.OpAvailability, "A", ast.Path{ast.PathName("search"), ast.PathName("nodes"), ast.PathIndex(0), ast.PathName("availability")})
			see(commerce.OpPages, "", ast.Path{ast.PathName("page")})
		})
		require.NotNil(t, made.trace)
		body, whole := render(made.document())
		require.True(t, whole)
		matches(t, "waterfall", body)
		assert.Equal(t, []timingtest.Entry{
			{Name: "magento", Desc: "1 call", Dur: 12}, {Name: "odoo", Desc: "2 calls", Dur: 63}, {Name: "pimcore", Desc: "4 calls", Dur: 100}, {Name: "own", Dur: 3}, {Name: "total", Dur: 115},
		}, timingtest.Parse(t, made.spent.Text(began, time.Now(), "")))
		<-other
		time.Sleep(time.Second) // the page that was given up comes late
	})
}

func TestNobodyIsShownATraceWhoDoesNotAskForOne(t *testing.T) {
	t.Parallel()
	ctx, _ := commerce.WithTrail(t.Context())
	made := outcome{response: &graphql.Response{}}.told(ctx, nil)
	assert.Nil(t, made.trace)
	assert.Empty(t, made.document().Extensions)
}

// matches compares JSON with testdata/<name>.golden.
func matches(t *testing.T, name string, body []byte) {
	t.Helper()
	var got bytes.Buffer
	require.NoError(t, json.Indent(&got, body, "", "  "))
	got.WriteByte('\n')
	file := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(file, got.Bytes(), 0o600))
	}
	want, err := os.ReadFile(file) //nolint:gosec // a name of this test
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String())
}

package world_test

import (
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/connectors/sandbox/world"
	"github.com/portico-bff/portico/schema/commerce"
)

func load(t *testing.T) *world.World {
	t.Helper()
	w, err := world.Load()
	require.NoError(t, err)
	return w
}

func TestCatalogIsWhole(t *testing.T) {
	t.Parallel()
	w := load(t)
	require.Len(t, w.Products(), 504)
	published, languages := 0, map[string]bool{}
	for _, p := range w.Products() {
		require.Same(t, p, w.Product(p.ID))
		require.Same(t, p, w.BySKU(p.SKU))
		_, err := commerce.ParseSKU("sku", p.SKU)
		require.NoError(t, err, p.SKU)
		if !p.Published {
			continue
		}
		published++
		require.True(t, p.ListPrice.IsPositive(), p.SKU)
		require.NotNil(t, w.Category(100+p.SubcategoryID))
		for language := range p.Descriptions {
			languages[language] = true
		}
		for _, id := range p.Related {
			require.NotEqual(t, p.ID, id)
			require.True(t, w.Product(id).Published)
		}
		if p.PhotoSmall != "" {
			for _, file := range []string{p.PhotoSmall, p.PhotoLarge} {
				photo, ok := w.Photo(file)
				require.True(t, ok, file)
				require.Equal(t, "GIF8", string(photo[:4]))
			}
		}
	}
	assert.Equal(t, 295, published)
	assert.Len(t, languages, 6)
	for _, language := range world.Languages {
		assert.True(t, languages[language], language)
	}
	assert.Len(t, w.Categories(), 4+37)
	assert.Len(t, w.Locations(), 14)
	assert.Len(t, w.Pages(), 4)
	assert.Len(t, w.ShipMethods(), 5)
}

func TestReviewsAreRealAndMadeUp(t *testing.T) {
	t.Parallel()
	w := load(t)
	socks := w.Reviews(709)
	require.True(t, slices.ContainsFunc(socks, func(r world.Review) bool { return r.Author == "John Smith" && r.Rating == 5 }))
	reviewed, most := 0, 0
	for _, p := range w.Products() {
		list := w.Reviews(p.ID)
		if len(list) > 0 {
			require.True(t, p.Published)
			reviewed++
		}
		most = max(most, len(list))
		require.True(t, slices.IsSortedFunc(list, func(a, b world.Review) int { return b.At.Compare(a.At) }))
	}
	assert.InDelta(t, 295/2, reviewed, 30)
	assert.Greater(t, most, commerce.MaxReviews)
}

func TestCustomersAreMadeUp(t *testing.T) {
	t.Parallel()
	w := load(t)
	require.Len(t, w.Customers(), 19_820)
	emails, uuids := map[string]bool{}, map[string]bool{}
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`)
	wholesale := 0
	for _, c := range w.Customers() {
		emails[c.Email], uuids[c.LoyaltyID] = true, true
		require.Regexp(t, uuid, c.LoyaltyID)
		require.LessOrEqual(t, c.Points, c.Earned)
		require.GreaterOrEqual(t, c.Points, 0)
		require.Equal(t, c.Group == world.Wholesale, c.CompanyName != "")
		if c.Group == world.Wholesale {
			wholesale++
		}
	}
	assert.Len(t, emails, 19_820)
	assert.Len(t, uuids, 19_820)
	assert.Equal(t, 1_336, wholesale)

	c := w.Customer("AW00011000")
	require.NotNil(t, c)
	_, err := commerce.ParseEmail("email", c.Email)
	require.NoError(t, err)
	assert.Same(t, c, w.CustomerByEmail(c.Email))
	assert.Same(t, c, w.CustomerByMagentoID(c.MagentoID))
	assert.Same(t, c, w.CustomerByOdooID(c.OdooID))
	assert.Same(t, c, w.CustomerByLoyaltyID(c.LoyaltyID))
	assert.NotEmpty(t, c.Addresses)
	assert.Nil(t, w.Customer("AW99999999"))
}

func TestPricesRoundHalfUp(t *testing.T) {
	t.Parallel()
	w := load(t)
	// 680 lists at 1431.50, 707 at 34.99, 514 is a part that nobody sells.
	cases := map[string]struct {
		product         int
		group, currency string
		qty             int
		want            string
	}{
		"list":                 {680, world.Retail, "USD", 1, "1431.50"},
		"euro":                 {680, world.Retail, "EUR", 1, "1316.98"},
		"pound half up":        {680, world.Retail, "GBP", 1, "1130.89"},
		"wholesale":            {680, world.Wholesale, "USD", 1, "1216.78"},
		"below the break":      {707, world.Wholesale, "USD", 10, "29.74"},
		"at the break":         {707, world.Wholesale, "USD", 11, "29.04"},
		"highest break":        {707, world.Wholesale, "USD", 61, "22.74"},
		"retail has no breaks": {707, world.Retail, "USD", 61, "34.99"},
	}
	for name, c := range cases {
		got, ok := w.UnitPrice(c.product, c.group, c.currency, c.qty)
		require.True(t, ok, name)
		assert.Equal(t, c.want, got.Number(), name)
		assert.Equal(t, c.currency, got.CurrencyCode(), name)
	}
	for name, ok := range map[string]bool{
		"unknown product":  second(w.UnitPrice(5, world.Retail, "USD", 1)),
		"part":             second(w.UnitPrice(514, world.Retail, "USD", 1)),
		"unknown currency": second(w.UnitPrice(680, world.Retail, "CHF", 1)),
		"unknown group":    second(w.UnitPrice(680, "vip", "USD", 1)),
		"no quantity":      second(w.UnitPrice(680, world.Retail, "USD", 0)),
	} {
		assert.False(t, ok, name)
	}
}

func second[T any](_ T, ok bool) bool { return ok }

func TestCouponsTaxAndPercent(t *testing.T) {
	t.Parallel()
	w := load(t)
	money := func(amount, code string) commerce.Money {
		m, err := commerce.NewMoney(amount, code)
		require.NoError(t, err)
		return m
	}
	off, ok := w.CouponDiscount("WELCOME10", money("34.95", "EUR"))
	require.True(t, ok)
	assert.Equal(t, "3.50", off.Number())
	off, ok = w.CouponDiscount("BIKE50", money("500.00", "GBP"))
	require.True(t, ok)
	assert.Equal(t, "50.00 GBP", off.String())
	assert.False(t, second(w.CouponDiscount("BIKE50", money("499.99", "GBP"))))
	assert.False(t, second(w.CouponDiscount("welcome10", money("10.00", "USD"))))

	assert.Equal(t, "8.8", w.TaxRate("US", "WA"))
	assert.Equal(t, "14", w.TaxRate("CA", "AB"))
	assert.Equal(t, "0", w.TaxRate("US", "OR"))
	assert.Equal(t, "16", w.TaxRate("DE", ""))
	assert.Equal(t, "17.5", w.TaxRate("GB", "ENG"))
	assert.Equal(t, "0", w.TaxRate("XX", ""))

	tax, ok := world.Percent(money("10.06", "USD"), "8.75")
	require.True(t, ok)
	assert.Equal(t, "0.88", tax.Number())
	assert.False(t, second(world.Percent(money("10.00", "USD"), "much")))
}

func TestOrdersLowerStock(t *testing.T) {
	t.Parallel()
	w := load(t)
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	w.SetClock(func() time.Time { return now })
	seeded := len(w.Orders())
	require.Positive(t, seeded)
	require.Len(t, w.SyncedOrders(), seeded)

	const helmet = 707
	had := w.Free(helmet)
	require.Greater(t, had, 3)
	order := world.Order{QuoteID: 7, Lines: []world.OrderLine{{ProductID: helmet, SKU: "HL-U509-R", Qty: 3}}}
	placed, err := w.PlaceOrder(order)
	require.NoError(t, err)
	assert.Equal(t, had-3, w.Free(helmet))
	assert.Regexp(t, `^\d{9}$`, placed.Number)
	assert.Equal(t, now, placed.PlacedAt)
	assert.Same(t, placed, w.OrderByNumber(placed.Number))
	assert.Same(t, placed, w.OrderByQuote(7))

	_, err = w.PlaceOrder(order)
	require.ErrorIs(t, err, world.ErrQuotePlaced)
	assert.Equal(t, had-3, w.Free(helmet))

	assert.Len(t, w.SyncedOrders(), seeded)
	now = now.Add(world.DefaultSyncDelay)
	assert.Len(t, w.SyncedOrders(), seeded+1)

	cleared := 0
	w.OnReset(func() { cleared++ })
	w.Reset()
	assert.Equal(t, 1, cleared)
	assert.Equal(t, had, w.Free(helmet))
	assert.Len(t, w.Orders(), seeded)
	assert.Nil(t, w.OrderByQuote(7))
}

func TestAnOrderReservesAllOrNothing(t *testing.T) {
	t.Parallel()
	w := load(t)
	const helmet, cap = 707, 712
	hadHelmets, hadCaps := w.Free(helmet), w.Free(cap)
	_, err := w.PlaceOrder(world.Order{Lines: []world.OrderLine{
		{ProductID: helmet, SKU: "HL-U509-R", Qty: 1},
		{ProductID: cap, SKU: "CA-1098", Qty: hadCaps},
		{ProductID: cap, SKU: "CA-1098", Qty: 1},
	}})
	require.ErrorIs(t, err, world.ErrOutOfStock)
	var out *world.OutOfStockError
	require.ErrorAs(t, err, &out)
	assert.Equal(t, "CA-1098", out.SKU)
	assert.Equal(t, hadHelmets, w.Free(helmet))
	assert.Equal(t, hadCaps, w.Free(cap))
}

func TestStockFillsWhatTheDataLeavesOut(t *testing.T) {
	t.Parallel()
	w := load(t)
	none := 0
	for _, p := range w.Products() {
		if p.Published {
			require.NotEmpty(t, w.Stock(p.ID), p.SKU)
		}
		if p.Published && w.Free(p.ID) == 0 {
			none++
		}
	}
	assert.Positive(t, none)
	assert.Less(t, none, 40)
	assert.Empty(t, w.Stock(424_242))
}

func TestHistoryAddsUp(t *testing.T) {
	t.Parallel()
	w := load(t)
	var last time.Time
	for _, o := range w.Orders() {
		require.False(t, o.PlacedAt.Before(last))
		last = o.PlacedAt
		total, err := o.Subtotal.Add(o.Tax)
		require.NoError(t, err)
		total, err = total.Add(o.Shipping)
		require.NoError(t, err)
		require.True(t, total.Equal(o.Total), o.Number)
	}
	own := slices.ContainsFunc(w.Orders(), func(o *world.Order) bool { return o.CustomerNumber == "AW00011000" })
	assert.True(t, own, "the first customer to try has a history")
}

func TestTheLastPiecesAreSoldOnce(t *testing.T) {
	t.Parallel()
	w := load(t)
	const product, buyers, each = 712, 400, 3
	had := w.Free(product)
	require.Less(t, had, buyers*each)
	var sold atomic.Int64
	var crowd sync.WaitGroup
	for quote := range buyers {
		crowd.Go(func() {
			order := world.Order{QuoteID: quote + 1, Lines: []world.OrderLine{{ProductID: product, SKU: "CA-1098", Qty: each}}}
			for range 2 {
				if _, err := w.PlaceOrder(order); err == nil {
					sold.Add(each)
				}
			}
		})
	}
	crowd.Wait()
	assert.Equal(t, int64(had/each*each), sold.Load())
	assert.Equal(t, had%each, w.Free(product))
	numbers := map[string]bool{}
	for _, o := range w.Orders() {
		numbers[o.Number] = true
	}
	assert.Len(t, numbers, len(w.Orders()))
	for _, s := range w.Stock(product) {
		assert.LessOrEqual(t, s.Reserved, s.Quantity)
	}
}

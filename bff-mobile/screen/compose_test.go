package screen

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/bff-mobile/internal/api"
	"github.com/portico-bff/portico/bff-mobile/internal/fields"
	"github.com/portico-bff/portico/edge/ledger"
	"github.com/portico-bff/portico/edge/ordering"
	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// declared is a screen as its file declares it.
type declared struct {
	parts []Part
	shown any // what it answers
	ask   func(ctx context.Context, s *Screens, v Viewer) ([]api.Degraded, error)
}

func declarations[S any](table []part[S]) []Part {
	list := make([]Part, len(table))
	for i := range table {
		list[i] = table[i].Part
	}
	return list
}

const someCart = commerce.CartID("g_00000000000000000000000000001001")

// screens are all that there are.
func screens() map[string]declared {
	return map[string]declared{
		"home": {declarations(homeParts), api.HomeScreen{}, func(ctx context.Context, s *Screens, v Viewer) ([]api.Degraded, error) {
			shown, err := s.Home(ctx, v)
			return degradedOf(shown, func() []api.Degraded { return shown.Degraded }), err
		}},
		"category": {declarations(categoryParts), api.CategoryScreen{}, func(ctx context.Context, s *Screens, v Viewer) ([]api.Degraded, error) {
			shown, err := s.Category(ctx, v, "kitchen", commerce.SearchQuery{First: 5})
			return degradedOf(shown, func() []api.Degraded { return shown.Degraded }), err
		}},
		"search": {declarations(searchParts), api.SearchScreen{}, func(ctx context.Context, s *Screens, v Viewer) ([]api.Degraded, error) {
			shown, err := s.Search(ctx, v, commerce.SearchQuery{Text: "mug", First: 5})
			return degradedOf(shown, func() []api.Degraded { return shown.Degraded }), err
		}},
		"product": {declarations(productParts), api.ProductScreen{}, func(ctx context.Context, s *Screens, v Viewer) ([]api.Degraded, error) {
			shown, err := s.Product(ctx, v, "MUG-RED")
			return degradedOf(shown, func() []api.Degraded { return shown.Degraded }), err
		}},
		"cart": {declarations(cartParts), api.CartScreen{}, func(ctx context.Context, s *Screens, v Viewer) ([]api.Degraded, error) {
			shown, err := s.Cart(ctx, v, someCart)
			return degradedOf(shown, func() []api.Degraded { return shown.Degraded }), err
		}},
		"checkout": {declarations(checkoutParts), api.CheckoutScreen{}, func(ctx context.Context, s *Screens, v Viewer) ([]api.Degraded, error) {
			shown, err := s.Checkout(ctx, v, someCart)
			return degradedOf(shown, func() []api.Degraded { return shown.Degraded }), err
		}},
		"account": {declarations(accountParts), api.AccountScreen{}, func(ctx context.Context, s *Screens, v Viewer) ([]api.Degraded, error) {
			shown, err := s.Account(ctx, v)
			return degradedOf(shown, func() []api.Degraded { return shown.Degraded }), err
		}},
		"orders": {declarations(orderListParts), api.OrderList{}, func(ctx context.Context, s *Screens, v Viewer) ([]api.Degraded, error) {
			shown, err := s.OrderList(ctx, v, commerce.Cursor{First: 5})
			return degradedOf(shown, func() []api.Degraded { return shown.Degraded }), err
		}},
		"order": {declarations(orderParts), api.OrderDetails{}, func(ctx context.Context, s *Screens, v Viewer) ([]api.Degraded, error) {
			shown, err := s.Order(ctx, v, "000000007", "")
			return degradedOf(shown, func() []api.Degraded { return shown.Degraded }), err
		}},
	}
}

func degradedOf[T any](shown *T, of func() []api.Degraded) []api.Degraded {
	if shown == nil {
		return nil
	}
	return of()
}

// open has screens over a shop in memory, looked at by a customer who has a cart.
func open(t *testing.T) (*commercetest.Shop, *Screens, Viewer) {
	t.Helper()
	shop := commercetest.NewShop()
	ports, log := shop.Ports(), slog.New(slog.DiscardHandler)
	orders := ordering.New(ordering.Config{TokenKey: commerce.Secret(strings.Repeat("k", 32))},
		ordering.Deps{Ports: ports, Ledger: ledger.NewMemory(), Timeout: time.Minute, Log: log})
	f := shop.Fixture()
	v := Viewer{Shopper: commerce.Shopper{Market: f.Market, Principal: f.Customer}, Group: f.Group}
	guest := commerce.Shopper{Market: f.Market}
	cart, err := ports.Carts.Create(t.Context(), guest)
	require.NoError(t, err)
	require.Equal(t, someCart, cart.ID)
	_, err = ports.CartLines.AddLine(t.Context(), guest, cart.ID, "MUG-RED", 1)
	require.NoError(t, err)
	return shop, &Screens{Ports: ports, Orders: orders, Log: log, HomePage: "home"}, v
}

func TestEveryScreenDeclaresItsParts(t *testing.T) {
	t.Parallel()
	for name, of := range screens() {
		require.NotEmpty(t, of.parts, name)
		shares, properties := map[string]float64{"": 0}, map[string]bool{}
		fields.Of(of.shown).Walk(func(path string, _ bool) { properties[path] = true })
		for _, p := range of.parts {
			at := name + "." + p.Name
			require.NotContains(t, shares, p.Name, "%s is there twice", at)
			require.Contains(t, shares, p.After, "%s comes after what is not above it", at)
			require.Greater(t, p.Share, shares[p.After], "%s has no time of its own", at)
			require.LessOrEqual(t, p.Share, wholeTime, "%s leaves no time to answer in", at)
			require.Equal(t, p.Required, p.Priority == 0, at)
			require.LessOrEqual(t, p.Priority, maxPriority, at)
			require.NotEmpty(t, p.Op, at)
			require.Equal(t, p.Required, len(p.Fields) == 0, "%s is there for something that can be left out, or always", at)
			for _, field := range p.Fields {
				require.True(t, properties[field], "%s: there is no %s to leave out", at, field)
			}
			shares[p.Name] = p.Share
			if !p.Required {
				field, _, _ := strings.Cut(p.Name, ".")
				require.True(t, has(reflect.TypeOf(of.shown), field), "%s is no field of the answer", at)
			}
		}
	}
}

// has tells whether the answer, or the cart in it, has a field of that name.
func has(of reflect.Type, name string) bool {
	for f := range of.NumField() {
		field := of.Field(f)
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if tag == name || field.Type == reflect.TypeFor[api.Cart]() && has(field.Type, name) {
			return true
		}
	}
	return false
}

func TestAPartEndsWithItsSlice(t *testing.T) {
	t.Parallel()
	for _, p := range declarations(productParts) {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				shop, s, v := open(t)
				shop.Hold(p.Op, func(ctx context.Context) { <-ctx.Done() })
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				began := time.Now()
				shown, err := s.Product(ctx, v, "MUG-RED")
				assert.Equal(t, time.Duration(p.Share*float64(10*time.Second)), time.Since(began))
				if p.Required {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, []api.Degraded{{Part: p.Name, Source: "shop", State: api.DegradedMissing, Reason: "timeout"}}, shown.Degraded)
			})
		})
	}
}

// What comes after a part has what is left when that came late.
func TestTheSecondRoundHasTimeOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shop, s, v := open(t)
		shop.Hold(commerce.OpSearch, func(context.Context) { time.Sleep(5 * time.Second) })
		shop.Hold(commerce.OpAvailability, func(ctx context.Context) { <-ctx.Done() })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		shown, err := s.Home(ctx, v)
		require.NoError(t, err)
		assert.Equal(t, 9*time.Second, time.Since(began))
		assert.Equal(t, []api.Degraded{{Part: "featured.availability", Source: "shop", State: api.DegradedMissing, Reason: "timeout"}}, shown.Degraded)
		assert.NotEmpty(t, shown.Featured)
	})
}

// tried is a made-up screen: which of its parts were asked for.
type tried struct {
	mu    sync.Mutex
	names []string
}

// Of any table, under any pressure, what is dropped is never more important than what
// is asked for, more pressure drops no less, and a dropped part is told.
func TestTheLeastImportantGoFirst(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // made-up tables
	for range 2000 {
		var table []part[tried]
		for i := range 1 + rnd.IntN(8) {
			p := Part{Name: fmt.Sprint("p", i), Op: commerce.OpReviews, Priority: rnd.IntN(maxPriority + 1), Share: wholeTime}
			p.Required = p.Priority == 0
			table = append(table, part[tried]{p, func(s *tried, _ context.Context) error {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.names = append(s.names, p.Name)
				return nil
			}})
		}
		var before []string
		for _, pressure := range []float64{1, 0.95, 0.9, 0.8, 0.7, 0.6, 0.3, 0} {
			got := &tried{}
			degraded, err := compose(t.Context(), &Screens{Log: slog.New(slog.DiscardHandler), Pressure: func() float64 { return pressure }}, table, got)
			missing := map[string]bool{}
			for _, d := range degraded {
				require.Equal(t, api.Degraded{Part: d.Part, Source: "mobile", State: api.DegradedMissing, Reason: "bulkhead-full", RetryAfterMs: 1000}, d)
				missing[d.Part] = true
			}
			if err != nil {
				require.ErrorIs(t, err, commerce.ErrUnavailable)
				require.Empty(t, got.names, "a screen fails for pressure only when nothing of it is left")
				continue
			}
			least, most := 0, maxPriority+1
			for _, p := range table {
				require.NotEqual(t, missing[p.Name], slices.Contains(got.names, p.Name), "asked for, or told to be missing")
				if missing[p.Name] {
					most = min(most, p.Priority)
				} else {
					least = max(least, p.Priority)
				}
			}
			require.Less(t, least, most)
			require.Greater(t, most, 1, "what is most important is always asked for")
			require.Subset(t, got.names, before)
			before = got.names
		}
		require.Len(t, before, len(table), "without pressure all are asked for")
	}
}

func TestWhatIsDroppedAtWhichPressure(t *testing.T) {
	t.Parallel()
	var table []part[tried]
	for priority := 1; priority <= maxPriority; priority++ {
		p := Part{Name: fmt.Sprint(priority), Op: commerce.OpReviews, Priority: priority, Share: wholeTime}
		table = append(table, part[tried]{p, func(*tried, context.Context) error { return nil }})
	}
	for pressure, want := range map[float64]string{0: "", 0.59: "", 0.6: "4", 0.79: "4", 0.8: "34", 0.94: "34", 0.95: "234", 1: "234"} {
		degraded, err := compose(t.Context(), &Screens{Pressure: func() float64 { return pressure }}, table, &tried{})
		require.NoError(t, err)
		got := ""
		for _, d := range degraded {
			got += d.Part
		}
		assert.Equal(t, want, got, "%v", pressure)
	}
}

// systems are who answers what.
var systems = map[string][]commerce.Operation{
	"pim":      {commerce.OpProducts, commerce.OpRelated, commerce.OpCategoryTree, commerce.OpPages, commerce.OpReviews},
	"search":   {commerce.OpSearch},
	"erp":      {commerce.OpPrices, commerce.OpAvailability, commerce.OpOrders, commerce.OpOrder},
	"crm":      {commerce.OpCustomer, commerce.OpLoyalty},
	"checkout": {commerce.OpCartRead, commerce.OpShippingOptions},
}

// Whichever systems are dead or hung, a screen lacks the parts that those have to answer,
// fails only for what it requires, and answers within its time.
func TestAllCombinationsOfDeadAndHungSystems(t *testing.T) {
	t.Parallel()
	names := []string{"pim", "search", "erp", "crm", "checkout"}
	for name, of := range screens() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for set := range 1 << len(names) {
				bad := map[commerce.Operation]bool{}
				for i, system := range names {
					for _, op := range systems[system] {
						bad[op] = set>>i&1 == 1
					}
				}
				synctest.Test(t, func(t *testing.T) { suffers(t, of, bad, false) })
				synctest.Test(t, func(t *testing.T) { suffers(t, of, bad, true) })
			}
		})
	}
}

func suffers(t *testing.T, of declared, bad map[commerce.Operation]bool, hung bool) {
	shop, s, v := open(t)
	for op, is := range bad {
		switch {
		case is && hung:
			shop.Hold(op, func(ctx context.Context) { <-ctx.Done() })
		case is:
			shop.Fail(op, commerce.ErrUnavailable)
		}
	}
	const time10 = 10 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), time10)
	defer cancel()
	began := time.Now()
	degraded, err := of.ask(ctx, s, v)
	assert.LessOrEqual(t, time.Since(began), time.Duration(wholeTime*float64(time10)))

	missing, fails := expected(of.parts, bad)
	if fails {
		require.Error(t, err, "%v", bad)
		return
	}
	require.NoError(t, err, "%v", bad)
	var parts []string
	for _, d := range degraded {
		assert.Equal(t, api.DegradedMissing, d.State)
		parts = append(parts, d.Part)
	}
	assert.Equal(t, missing, parts, "%v", bad)
}

// expected is what a screen lacks when operations are bad, by the names of its parts.
func expected(parts []Part, bad map[commerce.Operation]bool) (missing []string, fails bool) {
	gone, there := map[string]bool{}, 0
	for _, p := range parts {
		switch {
		case gone[p.After]:
			gone[p.Name] = true // nobody could tell what to ask for
		case bad[p.Op], p.With != "" && gone[p.With]:
			gone[p.Name], fails = true, fails || p.Required
			missing = append(missing, p.Name)
		default:
			there++
		}
	}
	slices.Sort(missing)
	return missing, fails || there == 0
}

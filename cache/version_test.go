package cache

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/portico-bff/portico/schema/commerce"
	"github.com/portico-bff/portico/schema/commercetest"
)

// answeredTypes are those of all that the cache answers.
func answeredTypes() map[reflect.Type]codec {
	list := storedTypes()
	for _, form := range []codec{
		codecOf[[]*commerce.Category](), codecOf[*commerce.Customer](), codecOf[*commerce.LoyaltyAccount](), codecOf[*commerce.InvoicePage](),
		codecOf[*commerce.OrderPage](), codecOf[*commerce.Order](),
	} {
		list[form.stored] = form
	}
	return list
}

// Two values that were made alike have one version; a value of which anything at all was
// changed has another.
func TestVersionsAreEqualExactlyWhenValuesAre(t *testing.T) {
	t.Parallel()
	for stored, form := range answeredTypes() {
		t.Run(stored.String(), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(r *rapid.T) {
				seed := rapid.Uint64().Draw(r, "seed")
				draw := func() reflect.Value {
					d := drawn{Rand: rand.New(rand.NewPCG(seed, 2))}
					d.text = d.odd
					v := reflect.New(stored).Elem()
					for v.IsNil() {
						d.fill(t, v)
					}
					return v
				}
				one, same, other := draw(), draw(), draw()
				was := form.version(one.Interface())
				if was < firstVersion || form.version(same.Interface()) != was {
					r.Fatal("equal values, other versions")
				}
				place := turn(other, rapid.Uint64().Draw(r, "place"))
				if form.version(other.Interface()) == was {
					r.Fatalf("changed at %s, but not its version", place)
				}
			})
		})
	}
}

// turn changes one thing somewhere in v, and says where. nth chooses.
func turn(v reflect.Value, nth uint64) string {
	var leaves []func()
	var names []string
	var look func(reflect.Value, string)
	leaf := func(name string, do func()) { leaves, names = append(leaves, do), append(names, name) }
	look = func(v reflect.Value, name string) {
		switch v.Type() {
		case reflect.TypeFor[time.Time]():
			at, _ := v.Interface().(time.Time)
			leaf(name, func() { v.Set(reflect.ValueOf(at.Add(1))) })
			leaf(name, func() { v.Set(reflect.ValueOf(at.In(time.FixedZone("", zoneOf(at)+60)))) })
			return
		case reflect.TypeFor[commerce.Money]():
			m, _ := commerce.NewMoney("77.77", "GBP") // which is never drawn
			leaf(name, func() { v.Set(reflect.ValueOf(m)) })
			return
		}
		switch v.Kind() {
		case reflect.String:
			leaf(name, func() { v.SetString(v.String() + "\x00") })
		case reflect.Int:
			leaf(name, func() { v.SetInt(v.Int() ^ 1<<(nth%64)) })
		case reflect.Bool:
			leaf(name, func() { v.SetBool(!v.Bool()) })
		case reflect.Float64:
			leaf(name, func() { v.SetFloat(-2*v.Float() - 1) })
		case reflect.Pointer:
			if v.IsNil() {
				leaf(name, func() { v.Set(reflect.New(v.Type().Elem())) })
			} else {
				look(v.Elem(), name)
			}
		case reflect.Slice:
			leaf(name, func() { v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem()))) })
			for i := range v.Len() {
				look(v.Index(i), fmt.Sprintf("%s[%d]", name, i))
			}
		case reflect.Array:
			for i := range v.Len() {
				look(v.Index(i), fmt.Sprintf("%s[%d]", name, i))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				look(v.Field(i), name+"."+v.Type().Field(i).Name)
			}
		}
	}
	look(v, "")
	n := nth % uint64(len(leaves))
	leaves[n]()
	return names[n]
}

func zoneOf(t time.Time) int {
	_, zone := t.Zone()
	return zone
}

func TestVersionsAreNeverThoseOfNothing(t *testing.T) {
	t.Parallel()
	assert.Equal(t, uint64(0xef46db3751d8e999), versionOf(nil), "XXH64")
	form := codec{write: func(to *sheet, value any) { to.b = appendField(to.b, fmt.Sprint(value)) }}
	assert.Equal(t, versionOf([]byte("\x011")), form.version(1))
	odd := codecOf[*struct{ M map[string]int }]()
	assert.Zero(t, odd.version(&struct{ M map[string]int }{}), "what cannot be written has none")
	assert.Zero(t, codecOf[*commerce.Product]().version((*commerce.Product)(nil)))
	assert.Equal(t, uint64(absentVersion), notFound(time.Now(), Policy{}).Version())
	assert.Zero(t, (&entry{value: "a whole answer"}).Version())
}

// versionsOf are the versions of what port answers of skus, with the ways they came.
func versionsOf(ctx context.Context, t *testing.T, port commerce.Catalog, skus []commerce.SKU) (versions map[string]uint64, ways map[commerce.Way]bool) {
	t.Helper()
	ctx, sink := commerce.WithSink(ctx)
	_, err := port.Products(ctx, us, skus)
	require.NoError(t, err)
	versions, ways = map[string]uint64{}, map[commerce.Way]bool{}
	for _, s := range sink.Sources() {
		require.NotNil(t, s.Kept)
		versions[s.Key], ways[s.Way] = s.Kept.Version(), true
	}
	return versions, ways
}

// described has products short and long, which are packed in another way.
type described struct{}

func (described) Products(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	found := map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		if n := int(sku[0] - 'A'); n < 4 {
			found[sku] = &commerce.Product{SKU: sku, Name: "name", Description: strings.Repeat("text ", n*compressFrom/10)}
		}
	}
	return found, nil
}

func TestVersionsAgreeAcrossMemoryRedisAndNodes(t *testing.T) {
	t.Parallel()
	server := newRedis(t)
	upstream, skus := described{}, []commerce.SKU{"A", "B", "C", "D", "gone"}
	ctx := t.Context()
	one, other, alone := newCache(t, Config{RedisURL: urlOf(server)}), newCache(t, Config{RedisURL: urlOf(server)}), newCache(t, realTime)

	lonely, ways := versionsOf(ctx, t, over(alone, upstream), skus)
	require.Equal(t, map[commerce.Way]bool{commerce.WayLoaded: true}, ways)
	require.Len(t, lonely, 5)
	assert.Equal(t, uint64(absentVersion), lonely["gone"])
	distinct := map[uint64]bool{}
	for version := range maps.Values(lonely) {
		distinct[version] = true
	}
	assert.Len(t, distinct, 5)

	loaded, ways := versionsOf(ctx, t, over(one, upstream), skus)
	require.Equal(t, map[commerce.Way]bool{commerce.WayLoaded: true}, ways)
	assert.Equal(t, lonely, loaded)
	settles(t, "Redis has them", func() bool { return len(entriesOf(server)) == 4 })

	taken, ways := versionsOf(ctx, t, over(other, upstream), skus[:4])
	require.Equal(t, map[commerce.Way]bool{commerce.WayRedis: true}, ways)
	taken["gone"] = absentVersion
	assert.Equal(t, lonely, taken)
	for e := range other.memory.values.Values() {
		was := e.Version()
		e.version.Store(unwritten)
		assert.Equal(t, was, e.Version(), "as it was written, and as it would be written here")
	}
	again, ways := versionsOf(ctx, t, over(other, upstream), skus[:4])
	require.Equal(t, map[commerce.Way]bool{commerce.WayMemory: true}, ways)
	again["gone"] = absentVersion
	assert.Equal(t, lonely, again)

	private := alone.Wrap(commerce.Ports{Catalog: upstream}).Catalog // no traits: nobody may share it
	direct, ways := versionsOf(ctx, t, private, skus)
	require.Equal(t, map[commerce.Way]bool{commerce.WayDirect: true}, ways)
	assert.Equal(t, lonely, direct)
}

// Whatever port answers, its source tells the version.
func TestEverythingThatIsAnsweredHasAVersion(t *testing.T) {
	t.Parallel()
	shop := commercetest.NewShop()
	f, c := shop.Fixture(), newCache(t, realTime)
	p := c.Wrap(shop.Ports())
	ctx, sink := commerce.WithSink(t.Context())
	asked := map[commerce.Operation]error{}
	_, asked[commerce.OpProducts] = p.Catalog.Products(ctx, f.Market, f.Products)
	_, asked[commerce.OpRelated] = p.Related.Related(ctx, f.Market, []commerce.SKU{f.Paired})
	_, asked[commerce.OpPages] = p.Content.Pages(ctx, f.Market, []commerce.PageID{f.Page})
	_, asked[commerce.OpReviews] = p.Reviews.Reviews(ctx, f.Market, []commerce.SKU{f.Reviewed})
	_, asked[commerce.OpAvailability] = p.Inventory.Availability(ctx, f.Market, f.Products)
	_, asked[commerce.OpCategoryTree] = p.Categories.Tree(ctx, f.Market)
	_, asked[commerce.OpSearch] = p.Search.Search(ctx, f.Market, commerce.SearchQuery{First: 5})
	_, asked[commerce.OpCustomer] = p.Customers.Customer(ctx, f.Customer)
	_, asked[commerce.OpLoyalty] = p.Loyalty.Loyalty(ctx, f.Customer)
	_, asked[commerce.OpInvoices] = p.Invoices.Invoices(ctx, f.Customer, commerce.Cursor{First: 5})
	_, asked[commerce.OpOrders] = p.OrderHistory.Orders(ctx, f.Customer, commerce.Cursor{First: 5})
	for op, err := range asked {
		require.NoError(t, err, op)
	}
	seen := map[commerce.Operation]bool{}
	for _, s := range sink.Sources() {
		require.NotNil(t, s.Kept, s.Operation)
		assert.GreaterOrEqual(t, s.Kept.Version(), uint64(absentVersion), s.Operation)
		seen[s.Operation] = true
	}
	for op := range asked {
		assert.True(t, seen[op], op)
	}
}

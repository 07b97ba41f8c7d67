package commerce_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// The domain depends on nothing but the standard library and the money library,
// so that no room can pull another one in through it.
func TestTheDomainImportsOnlyMoney(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	require.NoError(t, err)
	allowed := []string{"github.com/portico-bff/portico/schema/commerce", "github.com/bojanz/currency", "github.com/cockroachdb/apd/v3"}
	for _, path := range strings.Fields(string(out)) {
		assert.Contains(t, allowed, path)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 300)
	cases := map[string]struct {
		parse     func(field, s string) error
		good, bad []string
	}{
		"SKU": {
			func(f, s string) error { _, err := commerce.ParseSKU(f, s); return err },
			[]string{"BK-R89B-48", "a", "A.b_c-1", strings.Repeat("a", 64)},
			[]string{"", "-a", ".a", "..", "a b", "a/b", "a%2fb", "a;x", "a\x00", "ä", "a,b", strings.Repeat("a", 65)},
		},
		"category": {
			func(f, s string) error { _, err := commerce.ParseCategoryID(f, s); return err },
			[]string{"1", "bikes", "a_b-c"},
			[]string{"", "..", "a/b", "a b", long},
		},
		"page": {
			func(f, s string) error { _, err := commerce.ParsePageID(f, s); return err },
			[]string{"home"},
			[]string{"", "home/", long},
		},
		"cart": {
			func(f, s string) error { _, err := commerce.ParseCartID(f, s); return err },
			[]string{"g_abc", "c_12"},
			[]string{"", "g_", "12", "x_12", "c_12/", "c_1 2", "g_" + long},
		},
		"line": {
			func(f, s string) error { _, err := commerce.ParseLineID(f, s); return err },
			[]string{"7"},
			[]string{"", "7/8", "-1 or 1"},
		},
		"order": {
			func(f, s string) error { _, err := commerce.ParseOrderNumber(f, s); return err },
			[]string{"000000123"},
			[]string{"", "1'", long},
		},
		"coupon": {
			func(f, s string) error { _, err := commerce.ParseCoupon(f, s); return err },
			[]string{"WELCOME10"},
			[]string{"", "/", "a b"},
		},
		"email": {
			func(f, s string) error { _, err := commerce.ParseEmail(f, s); return err },
			[]string{"a@b.test", "first.last+tag@sub.example.test"},
			[]string{"", "a", "a@b", "a b@c.test", "<a@b.test>", "a@b.test\n", long + "@b.test"},
		},
		"key": {
			func(f, s string) error { _, err := commerce.ParseIdempotencyKey(f, s); return err },
			[]string{"k", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
			[]string{"", "a b", "a\n", long},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, s := range c.good {
				assert.NoError(t, c.parse("it", s), "%q", s)
			}
			for _, s := range c.bad {
				err := c.parse("it", s)
				input, ok := errors.AsType[*commerce.InputError](err)
				require.True(t, ok, "%q", s)
				assert.Equal(t, "it", input.Field)
				require.ErrorIs(t, err, commerce.ErrInvalid)
				if len(s) > 3 {
					assert.NotContains(t, err.Error(), s, "what was sent is not sent back")
				}
			}
		})
	}
}

func TestParseNumbers(t *testing.T) {
	t.Parallel()
	for n, ok := range map[int]bool{-1: false, 0: false, 1: true, 10_000: true, 10_001: false} {
		_, err := commerce.ParseQuantity("quantity", n)
		assert.Equal(t, ok, err == nil, "%d", n)
	}
	for n, ok := range map[int]bool{0: false, 1: true, 100: true, 101: false} {
		_, err := commerce.ParseFirst("first", n)
		assert.Equal(t, ok, err == nil, "%d", n)
	}
	_, err := commerce.ParseSKUs("skus", make([]string, 101))
	require.ErrorIs(t, err, commerce.ErrInvalid)
	_, err = commerce.ParseSKUs("skus", []string{"A", "/"})
	require.ErrorIs(t, err, commerce.ErrInvalid)
	skus, err := commerce.ParseSKUs("skus", []string{"A", "A"})
	require.NoError(t, err)
	assert.Equal(t, []commerce.SKU{"A", "A"}, skus)
}

func TestAGuestsCartIsNeverPrinted(t *testing.T) {
	t.Parallel()
	id := commerce.CartID("g_topsecret")
	assert.NotContains(t, fmt.Sprintf("%v %s %q %+v", id, id, id, struct{ ID commerce.CartID }{id}), "topsecret")
	assert.Equal(t, "c_12", commerce.CartID("c_12").String())
}

func TestASecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	s := commerce.Secret("topsecret")
	asJSON, err := json.Marshal(map[string]any{"a": s, "b": struct{ S commerce.Secret }{s}})
	require.NoError(t, err)
	printed := fmt.Sprintf("%v %s %q %+v %#v %v", s, s, s, s, s, s.LogValue()) + string(asJSON)
	assert.NotContains(t, printed, "topsecret")
	assert.Empty(t, commerce.Secret("").String())
}

func TestErrorsHaveOneKind(t *testing.T) {
	t.Parallel()
	call := &commerce.CallError{System: "odoo", Operation: commerce.OpPrices, Kind: commerce.ErrTimeout, Err: commerce.ErrOutcomeUnknown}
	wrapped := fmt.Errorf("pricing: %w", call)
	assert.Equal(t, commerce.ErrTimeout, commerce.KindOf(wrapped))
	require.ErrorIs(t, wrapped, commerce.ErrOutcomeUnknown)
	assert.Equal(t, commerce.ReasonTimeout, commerce.ReasonOf(wrapped))
	call.Reason = commerce.ReasonBreakerOpen
	assert.Equal(t, commerce.ReasonBreakerOpen, commerce.ReasonOf(wrapped))
	assert.Equal(t, commerce.ErrNotFound, commerce.KindOf(&commerce.InputError{Kind: commerce.ErrNotFound}))
	require.NoError(t, commerce.KindOf(errors.New("a bug")))
	assert.Equal(t, "odoo: pricing.prices: timeout: outcome unknown", call.Error())
}

func TestKeyError(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	batch := fmt.Errorf("call: %w", &commerce.BatchError[commerce.SKU]{Errs: map[commerce.SKU]error{"A": bad}})
	assert.Equal(t, bad, commerce.KeyError(batch, commerce.SKU("A")))
	require.NoError(t, commerce.KeyError(batch, commerce.SKU("B")), "B was asked and not found")
	assert.Equal(t, bad, commerce.KeyError(bad, commerce.SKU("B")), "the whole call failed")
	require.NoError(t, commerce.KeyError(nil, commerce.SKU("B")))
	require.ErrorIs(t, batch, bad)
}

func TestImageURLIsTheSmallestThatFits(t *testing.T) {
	t.Parallel()
	image := commerce.Image{Renditions: []commerce.Rendition{{Width: 80, URL: "s"}, {Width: 240, URL: "m"}, {Width: 800, URL: "l"}}}
	for width, url := range map[int]string{0: "l", 1: "s", 80: "s", 81: "m", 800: "l", 5000: "l"} {
		assert.Equal(t, url, image.URL(width), "%d", width)
	}
	assert.Empty(t, commerce.Image{}.URL(1))
}

func TestCategoryPathEndsEvenInALoop(t *testing.T) {
	t.Parallel()
	a := &commerce.Category{ID: "a", Parent: "b"}
	b := &commerce.Category{ID: "b", Parent: "a"}
	tree := commerce.NewCategoryTree([]*commerce.Category{a, b})
	assert.LessOrEqual(t, len(tree.Path("a")), 2)
	assert.Empty(t, tree.Path("x"))
}

func TestSinkCollectsConcurrentlyAndIsBounded(t *testing.T) {
	t.Parallel()
	commerce.Report(t.Context(), commerce.Source{Key: "nobody listens"})
	ctx, sink := commerce.WithSink(t.Context())
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for range 1000 {
				commerce.Report(ctx, commerce.Source{State: commerce.StateStale, Age: time.Second})
			}
		})
	}
	wg.Wait()
	assert.Len(t, sink.Sources(), 10_000)
}

// However sources are reported, they are told in their order, and lists are as they were told
// whatever comes after them.
func TestSinkKeepsListsThatAreHandedOver(t *testing.T) {
	t.Parallel()
	commerce.ReportAll(t.Context(), []commerce.Source{{Key: "nobody listens"}})
	ctx, sink := commerce.WithSink(t.Context())
	assert.Empty(t, sink.Lists(nil))
	var want []string
	rng := rand.New(rand.NewPCG(1, 2))
	for len(want) < 10_000 {
		list := make([]commerce.Source, rng.IntN(400), 500)
		for i := range list {
			list[i].Key = strconv.Itoa(len(want))
			want = append(want, list[i].Key)
		}
		if rng.IntN(2) == 0 {
			commerce.ReportAll(ctx, list)
		} else {
			commerce.Report(ctx, list...)
		}
		keys := []string{}
		told := sink.Lists(nil)
		for _, s := range slices.Concat(told...) {
			keys = append(keys, s.Key)
		}
		require.Equal(t, want[:min(len(want), 10_000)], keys)
		for _, list := range told {
			_ = append(list, commerce.Source{Key: "not theirs"})
		}
	}
	n := 0
	sink.Visit(func(s *commerce.Source) {
		assert.Equal(t, want[n], s.Key)
		n++
	})
	assert.Equal(t, 10_000, n)
}

func TestAddressNamesItsField(t *testing.T) {
	t.Parallel()
	good := commerce.Address{FirstName: "A", LastName: "B", Street: []string{"1 St"}, City: "C", Postcode: "1", Country: "US"}
	require.NoError(t, good.Validate("address"))
	for field, spoil := range map[string]func(*commerce.Address){
		"firstName": func(a *commerce.Address) { a.FirstName = "" },
		"street":    func(a *commerce.Address) { a.Street = nil },
		"city":      func(a *commerce.Address) { a.City = strings.Repeat("x", 256) },
		"postcode":  func(a *commerce.Address) { a.Postcode = "" },
		"country":   func(a *commerce.Address) { a.Country = "usa" },
	} {
		bad := good
		spoil(&bad)
		input, ok := errors.AsType[*commerce.InputError](bad.Validate("address"))
		require.True(t, ok, field)
		assert.Equal(t, "address."+field, input.Field)
	}
}

func ExampleFormatMoney() {
	m, _ := commerce.NewMoney("1234.5", "EUR")
	german := strings.ReplaceAll(commerce.FormatMoney(m, "de"), "\u00a0", " ") // CLDR keeps number and sign together
	fmt.Println(commerce.FormatMoney(m, "en"), "|", german)
	// Output: €1,234.50 | 1.234,50 €
}

package bffweb

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge"
	"github.com/portico-bff/portico/schema/commerce"
)

// hang holds a call until nobody waits for it.
func hang(ctx context.Context) { <-ctx.Done() }

// dwell holds a call for a time.
func dwell(d time.Duration) func(context.Context) {
	return func(ctx context.Context) {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
}

// happened is what became of a value before it is asked for: it was loaded an age ago, if
// at all, and then its system failed, hung, or did not.
type happened struct {
	age  time.Duration // 0: never loaded
	with func(s *shop, op commerce.Operation)
}

func down(s *shop, op commerce.Operation) { s.Fail(op, commerce.ErrUnavailable) }
func hung(s *shop, op commerce.Operation) { s.Hold(op, hang) }

// The columns of the table below. A lifetime is added to what is stale.
var happenings = []struct {
	name string
	happened
}{
	{"fresh", happened{time.Second, down}},
	{"young", happened{time.Minute, down}},
	{"old", happened{30 * time.Minute, down}},
	{"hung", happened{time.Minute, hung}},
	{"hung, old", happened{30 * time.Minute, hung}},
	{"error", happened{0, down}},
	{"never answered", happened{0, hung}},
}

// What a field holds, by what the schema declares, what the query takes and what happened:
// F fresh, S stale, D the default, N null with an error, U the null goes up, with an error.
func TestTheFreshnessContract(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ field, directive, holds string }{
		// The schema: STALE, 5m.
		{"availability", ``, "F S N S N N N"},
		{"availability", `onError: STALE`, "F S N S N N N"},
		{"availability", `onError: null, staleUpTo: "2m"`, "F S N S N N N"},
		{"availability", `onError: STALE, staleUpTo: "60s"`, "F N N N N N N"},
		{"availability", `staleUpTo: "0s"`, "F N N N N N N"},
		{"availability", `onError: NULL`, "F N N N N N N"},
		{"availability", `onError: FAIL`, "F U U U U U U"},
		// The schema: DEFAULT, 24h.
		{"reviews", ``, "F S S S S D D"},
		{"reviews", `onError: DEFAULT`, "F S S S S D D"},
		{"reviews", `staleUpTo: "10m"`, "F S D S D D D"},
		{"reviews", `onError: DEFAULT, staleUpTo: "0s"`, "F D D D D D D"},
		{"reviews", `onError: STALE`, "F S S S S N N"},
		{"reviews", `onError: STALE, staleUpTo: "10m"`, "F S N S N N N"},
		{"reviews", `onError: NULL`, "F N N N N N N"},
		{"reviews", `onError: FAIL`, "F U U U U U U"},
	} {
		for i, holds := range strings.Fields(c.holds) {
			t.Run(c.field+" "+c.directive+" "+happenings[i].name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					assert.Equal(t, holds, held(t, c.field, c.directive, happenings[i].happened))
				})
			})
		}
	}
}

// fields of the table: their operation, lifetime and a part of their value.
var tabled = map[string]struct {
	op    commerce.Operation
	fresh time.Duration
	part  string
}{
	"availability": {commerce.OpAvailability, 10 * time.Second, "quantity"},
	"reviews":      {commerce.OpReviews, 5 * time.Minute, "count"},
}

// held is what a field holds, as the table writes it.
func held(t *testing.T, field, directive string, h happened) string {
	t.Helper()
	of := tabled[field]
	s, _ := keeping(t)
	selection := field + "{" + of.part + "}"
	if h.age > 0 {
		s.ok(t, `{product(sku:"MUG-RED"){`+selection+`}}`, nil)
		if h.age > time.Second {
			h.age += of.fresh
		}
		time.Sleep(h.age)
	}
	h.with(s, of.op)
	if directive != "" {
		selection = field + "@freshness(" + directive + "){" + of.part + "}"
	}
	a := s.query(t, `{product(sku:"MUG-RED"){sku `+selection+`}}`, nil)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	control := a.Header.Get("Cache-Control")
	if len(a.Extensions.Freshness) == 0 {
		require.Empty(t, a.Errors, a.Raw)
		require.NotNil(t, at(t, a.Data, "product", field, of.part), a.Raw)
		return "F"
	}
	require.Len(t, a.Extensions.Freshness, 1, a.Raw)
	line := a.Extensions.Freshness[0]
	require.Equal(t, []any{"product", field}, line.Path)
	require.Equal(t, line.State == "missing", len(a.Errors) == 1, a.Raw)
	switch line.State {
	case "stale":
		require.GreaterOrEqual(t, line.AgeMS, h.age.Milliseconds(), a.Raw)
		require.Equal(t, "max-age=0", control)
		require.NotNil(t, at(t, a.Data, "product", field, of.part), a.Raw)
		return "S"
	case "filler":
		require.Equal(t, "no-store", control)
		require.Zero(t, line.AgeMS)
		require.NotEmpty(t, line.Reason)
		require.Zero(t, at(t, a.Data, "product", field, of.part), a.Raw)
		return "D"
	}
	require.Equal(t, "no-store", control)
	require.Equal(t, []any{"product", field}, a.Errors[0].Path)
	if at(t, a.Data, "product") == nil {
		return "U"
	}
	require.Nil(t, at(t, a.Data, "product", field), a.Raw)
	return "N"
}

// Two fields of one request that take differently old values both get what they asked for,
// and their system is called once.
func TestAliasesHaveBoundsOfTheirOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := keeping(t)
		const query = `query($sku:String!){product(sku:$sku){
			any: availability{quantity} young: availability@freshness(staleUpTo:"30s"){quantity} none: availability@freshness(onError:NULL){quantity}}}`
		s.ok(t, query, map[string]any{"sku": "MUG-RED"})
		time.Sleep(time.Minute)
		s.ResetCalls()
		s.Hold(commerce.OpAvailability, dwell(500*time.Millisecond))
		begun := time.Now()
		a := s.ok(t, query, map[string]any{"sku": "MUG-RED"})
		assert.Equal(t, 500*time.Millisecond, time.Since(begun))
		assert.Equal(t, 1, s.Calls(commerce.OpAvailability))
		require.Len(t, a.Extensions.Freshness, 1, a.Raw)
		assert.Equal(t, []any{"product", "any"}, a.Extensions.Freshness[0].Path)
		assert.Equal(t, "timeout", a.Extensions.Freshness[0].Reason)

		time.Sleep(time.Minute)
		s.Hold(commerce.OpAvailability, hang)
		a = s.query(t, query, map[string]any{"sku": "MUG-RED"})
		assert.NotNil(t, at(t, a.Data, "product", "any"), a.Raw)
		assert.Nil(t, at(t, a.Data, "product", "young"))
		assert.Nil(t, at(t, a.Data, "product", "none"))
		assert.Equal(t, []string{"TIMEOUT", "TIMEOUT"}, a.codes())
	})
}

// Two searches of one request are told apart, although searches have no keys.
func TestEachSearchHasALineOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := keeping(t)
		s.ok(t, `{search(text:"mug"){totalCount}}`, nil)
		time.Sleep(5 * time.Minute)
		s.ok(t, `{search(text:"lamp"){totalCount}}`, nil)
		s.Fail(commerce.OpSearch, commerce.ErrUnavailable)
		a := s.query(t, `{old:search(text:"mug"){totalCount} new:search(text:"lamp"){totalCount} none:search(text:"rug"){totalCount}
			strict:search(text:"mug")@freshness(staleUpTo:"1m"){totalCount}}`, nil)
		states := map[any]string{}
		for _, line := range a.Extensions.Freshness {
			states[line.Path[0]] = fmt.Sprint(line.State, " ", line.AgeMS)
		}
		assert.Equal(t, map[any]string{"old": "stale 300000", "none": "missing 0", "strict": "missing 0"}, states, a.Raw)
		assert.NotNil(t, at(t, a.Data, "new", "totalCount"))
	})
}

// What is read as a whole for many products is listed at each of them.
func TestAStaleTreeIsListedWhereItWent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := keeping(t)
		const query = `{products(skus:["MUG-RED","LAMP-1"]){breadcrumbs{id}}}`
		s.ok(t, query, nil)
		time.Sleep(11 * time.Minute)
		s.Fail(commerce.OpCategoryTree, commerce.ErrUnavailable)
		s.Fail(commerce.OpProducts, commerce.ErrUnavailable)
		a := s.ok(t, query, nil)
		states := map[string]string{}
		for _, line := range a.Extensions.Freshness {
			states[fmt.Sprint(line.Path)] = line.State
		}
		assert.Equal(t, map[string]string{
			"[products 0]": "stale", "[products 1]": "stale",
			"[products 0 breadcrumbs]": "stale", "[products 1 breadcrumbs]": "stale",
		}, states, a.Raw)
	})
}

// A null that goes up stops at the nearest place that may be null and is not FAIL itself:
// in lists, below them, in batches and in mutations.
func TestANullStopsAtItsBoundary(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query string
		ops   map[commerce.Operation]error
		data  string
	}{
		"an element of a list": {
			`{products(skus:["MUG-RED","LAMP-1"]){sku availability@freshness(onError:FAIL){inStock}}}`,
			nil,
			`{"products":[{"sku":"MUG-RED","availability":{"inStock":true}},null]}`,
		},
		"the field of a list, which is not nullable": {
			`{products(skus:["MUG-RED","LAMP-1"])@freshness(onError:FAIL){sku availability@freshness(onError:FAIL){inStock}}}`,
			nil,
			`null`,
		},
		"an element that cannot be had": {
			`{products(skus:["LAMP-1"])@freshness(onError:FAIL){sku} categories{id}}`,
			map[commerce.Operation]error{commerce.OpProducts: commerce.ErrTimeout},
			`null`,
		},
		"past elements that are not nullable": {
			`{search(text:"lamp"){edges{node@freshness(onError:FAIL){sku}}}}`,
			map[commerce.Operation]error{commerce.OpProducts: commerce.ErrTimeout},
			`{"search":null}`,
		},
		"below a list of a batch": {
			`{product(sku:"MUG-RED"){sku related{sku availability@freshness(onError:FAIL){inStock}}}}`,
			map[commerce.Operation]error{commerce.OpAvailability: commerce.ErrTimeout},
			`{"product":{"sku":"MUG-RED","related":null}}`,
		},
		"past a field that is FAIL itself": {
			`{product(sku:"MUG-RED"){sku related@freshness(onError:FAIL){sku availability@freshness(onError:FAIL){inStock}}} categories{id}}`,
			map[commerce.Operation]error{commerce.OpAvailability: commerce.ErrTimeout},
			`{"product":null,"categories":[{"id":"home"}]}`,
		},
		"in fragments and under aliases": {
			`query{a:product(sku:"MUG-RED"){...F} b:product(sku:"LAMP-1"){...F}} fragment F on Product{s:sku ...on Product{av:availability@freshness(onError:FAIL){inStock}}}`,
			nil,
			`{"a":{"s":"MUG-RED","av":{"inStock":true}},"b":null}`,
		},
		"in a mutation": {
			"", nil, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.query == "" {
				inMutation(t)
				return
			}
			s := open(t, func(b *edge.Backend) { b.Ports.Inventory = lampless{b.Ports.Inventory} })
			for op, err := range c.ops {
				s.Fail(op, err)
			}
			a := s.query(t, c.query, nil)
			require.NotEmpty(t, a.Errors, a.Raw)
			var raw struct {
				Data json.RawMessage `json:"data"`
			}
			require.NoError(t, json.Unmarshal([]byte(a.Raw), &raw))
			assert.JSONEq(t, c.data, string(raw.Data))
			assert.NotContains(t, a.Raw, "must not be null")
			for _, e := range a.Errors {
				assert.Equal(t, "TIMEOUT", e.Extensions["code"], a.Raw)
			}
			assert.Len(t, a.Extensions.Freshness, len(a.Errors), a.Raw)
		})
	}
}

// lampless is an inventory that cannot say how many lamps there are.
type lampless struct{ commerce.Inventory }

func (l lampless) Availability(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	found, err := l.Inventory.Availability(ctx, m, skus)
	if err != nil || found["LAMP-1"] == nil {
		return found, err
	}
	delete(found, "LAMP-1")
	return found, &commerce.BatchError[commerce.SKU]{Errs: map[commerce.SKU]error{"LAMP-1": commerce.ErrTimeout}}
}

func inMutation(t *testing.T) {
	t.Helper()
	s := open(t)
	id := s.newCart(t)
	s.Fail(commerce.OpAvailability, commerce.ErrTimeout)
	a := s.query(t, `mutation($in:CartLineAddInput!){cartLineAdd(input:$in){cart{lines{quantity product{sku availability@freshness(onError:FAIL){inStock}}}}}}`,
		map[string]any{"in": map[string]any{"cartId": id, "sku": "MUG-RED", "quantity": 2}})
	assert.InDelta(t, 2, at(t, a.Data, "cartLineAdd", "cart", "lines", 0, "quantity"), 0, a.Raw)
	assert.Nil(t, at(t, a.Data, "cartLineAdd", "cart", "lines", 0, "product"))
	assert.Equal(t, []string{"TIMEOUT"}, a.codes())
}

// What a cache on the way is told, by what the answer holds.
func TestOnlyWhatIsWholeIsForCachesOnTheWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := keeping(t)
		const query = `{product(sku:"MUG-RED"){name availability{quantity}}}`
		whole := s.by(t, query, nil)
		require.Contains(t, whole.Header.Get("Cache-Control"), "public")
		time.Sleep(time.Minute)
		s.Fail(commerce.OpAvailability, commerce.ErrUnavailable)
		s.Fail(commerce.OpReviews, commerce.ErrUnavailable)
		for query, want := range map[string]string{
			query: "private, max-age=0",
			`{product(sku:"MUG-RED"){name availability@freshness(onError:NULL){quantity}}}`: "no-store",
			`{product(sku:"MUG-RED"){name availability@freshness(onError:FAIL){quantity}}}`: "no-store",
			`{product(sku:"MUG-RED"){name reviews{count}}}`:                                 "no-store",
			`{product(sku:"MUG-RED"){name reviews{count} availability{quantity}}}`:          "no-store",
		} {
			for range 2 { // nothing of it is kept
				a := s.by(t, query, nil)
				assert.Equal(t, want, a.Header.Get("Cache-Control"), a.Raw)
				assert.Empty(t, a.Header.Get("Etag"))
				assert.Empty(t, a.Header.Get("Age"))
				assert.Equal(t, "miss", s.how(t))
				assert.Equal(t, "private, no-store", s.by(t, query, nil, header{"Authorization", "Bearer C1"}).Header.Get("Cache-Control"))
			}
		}
		s.Fail(commerce.OpReviews, nil)
		a := s.by(t, `{product(sku:"MUG-RED"){name reviews{count}}}`, nil)
		assert.Empty(t, a.Extensions.Freshness, "a filler is not remembered")
		assert.InDelta(t, 2, at(t, a.Data, "product", "reviews", "count"), 0, a.Raw)
		assert.Contains(t, a.Header.Get("Cache-Control"), "public")
	})
}

// The report of an answer in which much happened: stale, filler and missing parts, in
// lists, below lists, under aliases and in fragments.
func TestTheFreshnessReport(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := keeping(t)
		const query = `query($skus:[String!]!){
			list: products(skus:$skus){...P related{sku price{unit{amount}}}}
			search(text:"lamp"){nodes{sku now: availability@freshness(onError:NULL){quantity}} edges{node{...P}}}
			categories{id breadcrumbs{id}}}
			fragment P on Product{sku stock: availability{quantity} reviews{count}}`
		first := map[string]any{"skus": []string{"MUG-RED"}}
		s.ok(t, query, first)
		time.Sleep(time.Minute + 30*time.Second)
		s.Fail(commerce.OpAvailability, &commerce.CallError{System: "shop", Operation: commerce.OpAvailability, Kind: commerce.ErrRateLimited, RetryAfter: 1500 * time.Millisecond})
		s.Fail(commerce.OpReviews, commerce.ErrUpstream)
		s.Fail(commerce.OpPrices, commerce.ErrUnavailable)
		a := s.query(t, query, map[string]any{"skus": []string{"MUG-RED", "BOWL-1"}})
		report, err := json.Marshal(map[string]any{"errors": paths(a), "freshness": sorted(t, a)})
		require.NoError(t, err)
		golden(t, "freshness", string(report))
		assert.Equal(t, "no-store", a.Header.Get("Cache-Control"))
		assert.Empty(t, a.Header.Get("Etag"))
	})
}

// paths of the errors, as text, in their order.
func paths(a answer) []string {
	var list []string
	for _, e := range a.Errors {
		list = append(list, fmt.Sprint(e.Path))
	}
	slices.Sort(list)
	return list
}

// sorted is the report's lines by path: their order is that in which parts came.
func sorted(t *testing.T, a answer) []json.RawMessage {
	t.Helper()
	var raw struct {
		Extensions struct {
			Freshness []json.RawMessage `json:"freshness"`
		} `json:"extensions"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.Raw), &raw))
	lines := make([]string, len(raw.Extensions.Freshness))
	for i, line := range raw.Extensions.Freshness {
		lines[i] = string(line)
	}
	slices.Sort(lines)
	list := make([]json.RawMessage, len(lines))
	for i, line := range lines {
		list[i] = json.RawMessage(line)
	}
	return list
}

// clocked is an inventory whose stock is the time in seconds since it opened, so that a
// value says how old it is.
type clocked struct {
	commerce.Inventory
	opened time.Time
}

func (c clocked) Availability(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	found, err := c.Inventory.Availability(ctx, m, skus)
	for sku := range found {
		found[sku] = &commerce.Availability{SKU: sku, Quantity: int(time.Since(c.opened) / time.Second)}
	}
	return found, err
}

// clockedShop is a shop behind a cache, whose inventory is clocked.
func clockedShop(t *testing.T, opened time.Time) *shop {
	t.Helper()
	var c *cache.Cache
	return open(t, func(b *edge.Backend) {
		var err error
		c, err = cache.New(cache.Config{}, cache.Deps{Log: b.Log})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		b.Ports.Inventory = clocked{b.Ports.Inventory, opened}
		b.Ports = c.Wrap(b.Ports)
	})
}

// Whatever a query's directives say and whatever happens, no value is older than they
// say, beyond its lifetime; and what is older is listed.
func TestNoValueIsOlderThanAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seed := rand.Uint64()
		rnd := rand.New(rand.NewPCG(seed, 2))
		opened := time.Now()
		s := clockedShop(t, opened)
		const lifetime = 10
		seen := map[string]int{}
		for range 1_500 {
			s.Fail(commerce.OpAvailability, []error{nil, nil, commerce.ErrUnavailable}[rnd.IntN(3)])
			s.Hold(commerce.OpAvailability, []func(context.Context){nil, dwell(300 * time.Millisecond), hang}[rnd.IntN(3)])
			var query strings.Builder
			most := map[string]int{}
			for i := range 1 + rnd.IntN(3) {
				d := takings[rnd.IntN(len(takings))]
				name := fmt.Sprint("f", i)
				most[name] = d.most
				fmt.Fprintf(&query, "%s: availability%s{quantity} ", name, d.text)
			}
			a := s.query(t, `{product(sku:"MUG-RED"){sku `+query.String()+`}}`, nil)
			require.Equal(t, http.StatusOK, a.Status, a.Raw)
			product, _ := a.Data["product"].(map[string]any)
			for name, limit := range most {
				value, _ := product[name].(map[string]any)
				if value == nil {
					seen["null"]++
					continue
				}
				quantity, _ := value["quantity"].(float64)
				age := int(time.Since(opened)/time.Second) - int(quantity)
				require.LessOrEqual(t, age, max(lifetime, limit)+1, "seed %d: %s", seed, a.Raw)
				if age > lifetime+1 {
					seen["stale"]++
					require.Contains(t, a.Raw, `{"path":["product","`+name+`"],"source":"shop","state":"stale"`, "seed %d", seed)
				}
			}
			time.Sleep(time.Duration(rnd.Int64N(int64(2 * time.Minute))))
		}
		assert.Greater(t, seen["stale"], 50, "seed %d", seed)
		assert.Greater(t, seen["null"], 50, "seed %d", seed)
	})
}

// takings are directives and the age, in seconds, up to which they take a stale stock.
var takings = []struct {
	text string
	most int
}{
	{``, 300},
	{`@freshness(onError:NULL)`, 0},
	{`@freshness(onError:FAIL)`, 0},
	{`@freshness(staleUpTo:"30s")`, 30},
	{`@freshness(onError:STALE,staleUpTo:"2m")`, 120},
	{`@freshness(staleUpTo:"0s")`, 0},
	{`@freshness(onError:STALE)`, 300},
}

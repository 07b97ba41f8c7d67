package cache

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/portico-bff/portico/schema/commerce"
)

// boarding is how long boards stay open in a bubble: all who ask meanwhile board.
const boarding = time.Millisecond

// boardingCache has boards stay open for so long that a test can say who boards.
func boardingCache(t *testing.T, cfg Config) *Cache {
	t.Helper()
	c := newCache(t, cfg)
	c.pause = func() { time.Sleep(boarding) }
	return c
}

// terminal is a PIM that keeps what it was asked for, and shows its calls to who waits.
type terminal struct {
	mu    sync.Mutex
	asked [][]commerce.SKU
	takes time.Duration
	// fails says how a call for skus fails; nil when it does not.
	fails func(skus []commerce.SKU) error
	// slow says how much longer a call for skus takes.
	slow func(skus []commerce.SKU) time.Duration
}

func (s *terminal) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	commerce.TrailOf(ctx).Record("pim", commerce.OpProducts, "")
	s.mu.Lock()
	sorted := slices.Clone(skus)
	slices.Sort(sorted)
	s.asked = append(s.asked, sorted)
	s.mu.Unlock()
	takes := s.takes
	if s.slow != nil {
		takes += s.slow(skus)
	}
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	found := map[commerce.SKU]*commerce.Product{}
	for _, sku := range skus {
		found[sku] = &commerce.Product{SKU: sku, Name: m.Channel + " " + string(sku)}
	}
	if s.fails == nil {
		return found, nil
	}
	err := s.fails(skus)
	maps.DeleteFunc(found, func(sku commerce.SKU, _ *commerce.Product) bool { return commerce.KeyError(err, sku) != nil })
	return found, err
}

// calls are the keys of each call since the last look, in no order.
func (s *terminal) calls() [][]commerce.SKU {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.asked
	s.asked = nil
	slices.SortFunc(list, slices.Compare)
	return list
}

// sizes are how many keys each call had, the largest first.
func (s *terminal) sizes() (list []int) {
	for _, keys := range s.calls() {
		list = append(list, len(keys))
	}
	slices.Sort(list)
	slices.Reverse(list)
	return list
}

// boarder is what one request was answered.
type boarder struct {
	found   map[commerce.SKU]*commerce.Product
	err     error
	sources []commerce.Source
	took    time.Duration
}

// boardAll has each of lists asked for by a request of its own, all at a time, the first
// one first.
func boardAll(ctx context.Context, port commerce.Catalog, lists ...[]commerce.SKU) []boarder {
	boarders := make([]boarder, len(lists))
	var all sync.WaitGroup
	for i, list := range lists {
		all.Go(func() {
			begun := time.Now()
			own, sink := commerce.WithSink(ctx)
			v := &boarders[i]
			v.found, v.err = port.Products(own, us, list)
			v.sources, v.took = sink.Sources(), time.Since(begun)
		})
		if i == 0 {
			synctest.Wait()
		}
	}
	all.Wait()
	return boarders
}

// pages are so many lists of one SKU.
func pages(from, n int) (lists [][]commerce.SKU) {
	for i := range n {
		lists = append(lists, []commerce.SKU{commerce.SKU("P" + strconv.Itoa(from+i))})
	}
	return lists
}

func TestBoard_PagesAtATimeMakeOneCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pim := boardingCache(t, Config{}), &terminal{takes: 50 * time.Millisecond}
		port := over(c, pim)
		lists := append(pages(0, 15), []commerce.SKU{"A", "B", "P3"})
		for i, v := range boardAll(t.Context(), port, lists...) {
			require.NoError(t, v.err)
			require.Len(t, v.found, len(lists[i]))
			for _, s := range v.sources {
				assert.Equal(t, "us "+s.Key, v.found[commerce.SKU(s.Key)].Name)
				assert.Equal(t, commerce.StateFresh, s.State)
				calls := 0
				s.Wait.Trail.Visit(func(call *commerce.Call) {
					calls++
					assert.Equal(t, 17, call.Keys, "who waits sees the call that all share")
				})
				assert.Equal(t, 1, calls)
				if s.Key != "P3" {
					assert.Equal(t, commerce.WayLoaded, s.Way, "it was loaded for who boarded, too")
				}
			}
			assert.Equal(t, boarding+pim.takes, v.took)
		}
		assert.Equal(t, []int{17}, pim.sizes())
		counts := &c.metrics.known()[0].counts
		assert.Equal(t, int64(1), counts.calls.Load())
		assert.Equal(t, int64(17), counts.loads.Load())
		assert.Equal(t, int64(1), counts.shared.Load(), "P3 alone was under way when it was asked for")
		assert.Empty(t, c.flights.byKey)
		for _, v := range boardAll(t.Context(), port, lists...) {
			require.NoError(t, v.err)
		}
		assert.Empty(t, pim.calls(), "each is kept")
	})
}

// Nobody waits for others where there are none.
func TestBoard_WhoIsAloneDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pim := &terminal{takes: 50 * time.Millisecond}
		for i := range 3 {
			v := boardAll(t.Context(), over(newCache(t, Config{}), pim), pages(i, 1)...)
			require.NoError(t, v[0].err)
			assert.Equal(t, pim.takes, v[0].took)
		}
	})
}

func TestBoard_NoMoreKeysThanACallTakes(t *testing.T) {
	t.Parallel()
	list := func(name string, n int) (skus []commerce.SKU) {
		for i := range n {
			skus = append(skus, commerce.SKU(name+strconv.Itoa(i)))
		}
		return skus
	}
	for name, tc := range map[string]struct {
		size  int
		lists [][]commerce.SKU
		want  []int
	}{
		"full boards are left":               {5, pages(0, 12), []int{5, 5, 2}},
		"what does not fit goes in the next": {5, [][]commerce.SKU{list("A", 3), list("B", 3), list("C", 2)}, []int{5, 3}},
		"a whole list goes alone":            {5, [][]commerce.SKU{list("A", 5), list("B", 1), list("C", 1)}, []int{5, 2}},
		"more than a call's too":             {5, [][]commerce.SKU{list("A", 1), list("B", 7), list("C", 1)}, []int{7, 2}},
		"one a call":                         {1, pages(0, 3), []int{1, 1, 1}},
		"as many as a batch has":             {0, pages(0, 101), []int{100, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				pim, traits := &terminal{takes: time.Second / 2}, publicTraits(commerce.OpProducts)
				own := traits[commerce.OpProducts]
				own.BatchSize = tc.size
				traits[commerce.OpProducts] = own
				port := boardingCache(t, Config{}).Wrap(commerce.Ports{Catalog: pim, Traits: traits}).Catalog
				for _, v := range boardAll(t.Context(), port, tc.lists...) {
					require.NoError(t, v.err)
				}
				assert.Equal(t, tc.want, pim.sizes())
			})
		})
	}
}

// What is asked for in other markets, by other groups, of other systems or for somebody
// alone goes in calls of its own.
func TestBoard_OnlyOneCircleOfAskersBoards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, up := boardingCache(t, Config{}), &echo{}
		here, elsewhere := up.ports(commerce.ScopePublic), up.ports(commerce.ScopePublic)
		for op, traits := range elsewhere.Traits {
			traits.System = "another"
			elsewhere.Traits[op] = traits
		}
		shop, other := c.Wrap(here), c.Wrap(elsewhere)
		private := c.Wrap(up.ports(commerce.ScopeCustomer))
		asked := 0
		var all sync.WaitGroup
		at := func(ports commerce.Ports, q curious) {
			asked++
			all.Go(func() {
				for which := range 6 { // the operations that have keys
					all.Go(func() {
						q := q
						q.Word = fmt.Sprint(q.Word, which)
						got, want, err := q.ask(which, ports)
						assert.NoError(t, err)
						assert.Equal(t, want, got)
					})
				}
			})
		}
		french, french2 := eu, eu
		french2.Locale = "de"
		for i := range 8 { // of each circle so many at once: one call for each operation
			at(shop, curious{Word: fmt.Sprint("a", i), In: us, Group: "retail", N: 1})
		}
		at(shop, curious{Word: "b", In: us, Group: "b2b", N: 1})
		at(shop, curious{Word: "c", In: french, Group: "retail", N: 1})
		at(shop, curious{Word: "d", In: french2, Group: "retail", N: 1})
		at(other, curious{Word: "e", In: us, Group: "retail", N: 1})
		at(private, curious{Word: "f", In: us, Group: "retail", N: 1})
		at(private, curious{Word: "g", In: us, Group: "retail", N: 1})
		at(shop, curious{Word: "h", In: us, Group: "", N: 1}) // prices of nobody are shared with nobody
		all.Wait()
		// By operation: a b h | c | d | e | f | g, and with a group a | b | c | d | e | f | g | h.
		assert.Equal(t, 5*6+8, up.calls)
	})
}

// A load is part of the trace of who opened the board; who boards links to it.
func TestBoard_WhoBoardsLinksToTheTraceOfTheLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracer, ended := requests(t)
		upstream := &watched{}
		port := over(boardingCache(t, Config{}), upstream)
		var all sync.WaitGroup
		for _, name := range []string{"first", "second", "third"} {
			all.Go(func() {
				ctx, span := tracer.Start(t.Context(), name)
				defer span.End()
				_, _, err := ask(ctx, port, commerce.SKU(name))
				assert.NoError(t, err)
			})
			synctest.Wait()
		}
		all.Wait()
		by := map[string]sdk.ReadOnlySpan{}
		for _, span := range ended.Ended() {
			by[span.Name()] = span
		}
		assert.Equal(t, []trace.SpanContext{by["first"].SpanContext()}, upstream.causes())
		assert.Empty(t, by["first"].Links())
		assert.Equal(t, []sdk.Link{linkTo(by["first"])}, by["second"].Links())
		assert.Equal(t, []sdk.Link{linkTo(by["first"])}, by["third"].Links())
	})
}

// What may not be kept is loaded as long as somebody waits for any of it, and no longer.
func TestBoard_ALoadEndsWhenNobodyWaitsForAnyOfIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		leave time.Duration // after which all but the last leave
		last  bool          // leaves, too
	}{
		"while boarding, one stays": {boarding / 2, false},
		"while boarding, all leave": {boarding / 2, true},
		"while it loads, one stays": {10 * time.Millisecond, false},
		"while it loads, all leave": {10 * time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, pim := boardingCache(t, Config{Off: true}), &terminal{takes: 400 * time.Millisecond}
				port := over(c, pim)
				leaving, leave := context.WithTimeout(t.Context(), time.Hour)
				time.AfterFunc(tc.leave, leave)
				var all sync.WaitGroup
				begun := time.Now()
				for i, list := range append(pages(0, 3), []commerce.SKU{"A", "B"}) {
					all.Go(func() {
						ctx := t.Context()
						if i < 3 || tc.last {
							ctx = leaving
						}
						found, err := port.Products(ctx, us, list)
						if ctx == leaving {
							assert.Equal(t, context.Canceled, err)
							assert.Equal(t, tc.leave, time.Since(begun))
							return
						}
						assert.NoError(t, err)
						assert.Len(t, found, 2)
					})
				}
				all.Wait()
				c.work.Wait()
				want := boarding + pim.takes
				if tc.last {
					want = max(tc.leave, boarding)
				}
				assert.Equal(t, want, time.Since(begun))
				assert.Empty(t, c.flights.byKey)
			})
		})
	}
}

// Whoever comes when all have left has a load of their own, of the same and of anything else.
func TestBoard_NobodyBoardsWhatWasEnded(t *testing.T) {
	t.Parallel()
	for _, sku := range []commerce.SKU{"A", "B"} {
		synctest.Test(t, func(t *testing.T) {
			port := over(boardingCache(t, Config{Off: true}), &terminal{takes: 100 * time.Millisecond})
			leaving, leave := context.WithCancel(t.Context())
			var all sync.WaitGroup
			all.Go(func() {
				_, _, err := ask(leaving, port, "A")
				assert.Equal(t, context.Canceled, err)
			})
			synctest.Wait()
			leave()
			synctest.Wait()
			p, _, err := ask(t.Context(), port, sku)
			require.NoError(t, err)
			assert.Equal(t, sku, p.SKU)
			all.Wait()
		})
	}
}

// Who leaves a load of two things has it go on for who waits for one of them.
func TestC3_WhoLeavesAListFailsNobodyWhoWaitsForPartOfIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pim := &terminal{takes: 100 * time.Millisecond}
		port := over(newCache(t, Config{Off: true}), pim)
		leaving, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			_, err := port.Products(leaving, us, []commerce.SKU{"A", "B"})
			assert.Equal(t, context.Canceled, err)
		})
		synctest.Wait()
		all.Go(func() {
			_, _, err := ask(t.Context(), port, "B")
			assert.NoError(t, err)
		})
		synctest.Wait()
		leave()
		all.Wait()
		assert.Equal(t, []int{2}, pim.sizes())
	})
}

func TestBoard_ClosingEndsWhoIsStillBoarding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{}, Deps{})
		require.NoError(t, err)
		c.pause = func() { <-c.ctx.Done() }
		port := over(c, &terminal{takes: time.Hour})
		var all sync.WaitGroup
		for _, list := range pages(0, 3) {
			all.Go(func() {
				_, err := port.Products(t.Context(), us, list)
				assert.ErrorIs(t, err, commerce.ErrUnavailable)
			})
		}
		synctest.Wait()
		require.NoError(t, c.Close())
		all.Wait()
	})
}

// A key that was invalidated while its board is open is loaded apart from what who asked
// before waits for: no call asks for a key twice.
func TestBoard_WhatWasInvalidatedMeanwhileGoesInAnotherLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pim := boardingCache(t, Config{}), &terminal{}
		port := over(c, pim)
		var all sync.WaitGroup
		boarder := func(skus ...commerce.SKU) {
			all.Go(func() {
				_, err := port.Products(t.Context(), us, skus)
				assert.NoError(t, err)
			})
			synctest.Wait()
		}
		boarder("A")
		boarder("B")
		require.NoError(t, c.Invalidate(t.Context(), commerce.TagProduct("A")))
		boarder("C")
		boarder("A", "D")
		boarder("E")
		all.Wait()
		assert.Equal(t, [][]commerce.SKU{{"A", "B", "C"}, {"A", "D", "E"}}, pim.calls())
		_, at, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		assert.Equal(t, commerce.WayMemory, at.Way, "the later one is kept")
	})
}

// What is loaded anew ahead of its end boards like anything else.
func TestBoard_RenewalsBoard(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pim := boardingCache(t, Config{}), &terminal{takes: 20 * time.Millisecond} // nothing is new before all have read
		port := over(c, pim)
		lists := pages(0, 6)
		boardAll(t.Context(), port, lists...)
		require.Equal(t, []int{6}, pim.sizes())
		time.Sleep(policies[commerce.OpProducts].Fresh + time.Second)
		renewed := 0
		for _, v := range boardAll(t.Context(), port, lists...) {
			require.NoError(t, v.err)
			if v.sources[0].State == commerce.StateStale {
				renewed++
				assert.Zero(t, v.took)
			}
		}
		assert.NotZero(t, renewed, "lifetimes are spread: for one or the other stale has become too old")
		c.work.Wait()
		assert.Equal(t, []int{6}, pim.sizes())
	})
}

// What several requests had loaded in one call does not expire at a time, what one of them
// had loaded does.
func TestC10_WhatBoardedEndsApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, pim := boardingCache(t, Config{}), &terminal{}
		port := over(c, pim)
		lists := [][]commerce.SKU{{"A1", "A2", "A3"}, {"B1", "B2"}, {"C1"}}
		ends := map[time.Duration][]string{}
		boardAll(t.Context(), port, lists...)
		require.Equal(t, []int{6}, pim.sizes())
		c.memory.each(func(key string, e *entry) {
			k, ok := readKey(key)
			require.True(t, ok)
			ends[e.fresh] = append(ends[e.fresh], k.args)
		})
		var together [][]string
		for _, keys := range ends {
			slices.Sort(keys)
			together = append(together, keys)
		}
		slices.SortFunc(together, slices.Compare)
		assert.Equal(t, [][]string{{"A1", "A2", "A3"}, {"B1", "B2"}, {"C1"}}, together)
	})
}

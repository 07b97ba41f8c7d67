package cache

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Who looked at memory just before another's load was kept there does not load it again.
func TestC1_WhoLooksTooEarlyIsGivenWhatHasLanded(t *testing.T) {
	t.Parallel()
	c, upstream := newCache(t, realTime), &source{value: func(_ int, sku commerce.SKU) *commerce.Product {
		if sku == "none" {
			return nil
		}
		return &commerce.Product{SKU: sku}
	}}
	plan := wrapper{c, publicTraits(commerce.OpProducts)}.plan(commerce.OpProducts, codecOf[*commerce.Product]())
	prefix, _ := plan.prefix(inMarket(us))
	for sku, want := range map[commerce.SKU]served{"A": memoryFresh, "none": memoryAbsent} {
		_, _, err := ask(t.Context(), over(c, upstream), sku)
		require.NoError(t, err)
		late := &request{plan: plan, keys: []string{withArgs(prefix, string(sku))}, texts: []string{string(sku)}}
		f := c.fly(t.Context(), late, []int{0})[0]
		<-c.landing(f)
		require.NoError(t, f.err)
		assert.Equal(t, want, f.served)
	}
	assert.Equal(t, 2, upstream.count())
}

func TestC1_OneCallForAllWhoMiss(t *testing.T) {
	t.Parallel()
	for _, callers := range []int{1000, 10_000} {
		for _, fails := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d callers, failing %v", callers, fails), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					upstream := &source{takes: 500 * time.Millisecond}
					if fails {
						upstream.err = errDown
					}
					port := over(newCache(t, Config{}), upstream)
					var answered, failed atomic.Int64
					var wg sync.WaitGroup
					for range callers {
						wg.Go(func() {
							p, _, err := ask(t.Context(), port, "A")
							if err == nil && p.SKU == "A" {
								answered.Add(1)
							}
							if errors.Is(err, commerce.ErrUnavailable) {
								failed.Add(1)
							}
						})
					}
					wg.Wait()
					assert.Equal(t, 1, upstream.count())
					if !fails {
						assert.Equal(t, int64(callers), answered.Load())
						return
					}
					assert.Equal(t, int64(callers), failed.Load())
					upstream.set(func(s *source) { s.err = nil })
					p, _, err := ask(t.Context(), port, "A")
					require.NoError(t, err, "the next call tries again")
					assert.Equal(t, commerce.SKU("A"), p.SKU)
				})
			})
		}
	}
}

func TestC3_LeaversLeaveAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{takes: 100 * time.Millisecond}
		port := over(newCache(t, Config{}), upstream)
		begun := time.Now()

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, _, err := ask(ctx, port, "A")
			assert.Equal(t, context.Canceled, err)
			assert.Equal(t, 10*time.Millisecond, time.Since(begun), "the leader leaves at once")
		})
		synctest.Wait()
		for range 99 {
			wg.Go(func() {
				p, _, err := ask(t.Context(), port, "A")
				assert.NoError(t, err)
				assert.NotNil(t, p)
				assert.Equal(t, 100*time.Millisecond, time.Since(begun))
			})
		}
		time.Sleep(50 * time.Millisecond)
		wg.Go(func() {
			hurried, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, at, err := ask(hurried, port, "A")
			assert.ErrorIs(t, err, commerce.ErrTimeout)
			assert.Equal(t, commerce.StateMissing, at.State)
			assert.Equal(t, 70*time.Millisecond, time.Since(begun))
		})
		wg.Go(func() {
			p, _, err := ask(t.Context(), port, "A")
			assert.NoError(t, err, "a later joiner gets the value")
			assert.NotNil(t, p)
		})
		wg.Wait()
		assert.Equal(t, 1, upstream.count())
	})
}

func TestC4_PanicsBecomeErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{takes: time.Millisecond, panic: true}
		c := newCache(t, Config{})
		port := over(c, upstream)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				_, _, err := ask(t.Context(), port, "A")
				assert.ErrorIs(t, err, errPanic)
			})
		}
		wg.Wait()
		assert.Equal(t, 1, upstream.count())
		upstream.set(func(s *source) { s.panic = false })
		_, _, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		assert.Empty(t, c.flights.byKey)
	})
}

// quitter ends the goroutine that loads, as a failed assertion in a fake would.
type quitter struct{}

func (quitter) Products(context.Context, commerce.Market, []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	runtime.Goexit()
	return map[commerce.SKU]*commerce.Product{}, nil
}

func TestC4_GoexitBecomesAnError(t *testing.T) {
	t.Parallel()
	c := newCache(t, realTime)
	_, _, err := ask(t.Context(), over(c, quitter{}), "A")
	require.ErrorIs(t, err, errPanic)
	assert.Empty(t, c.flights.byKey)
}

func TestBatchesShareWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{takes: 50 * time.Millisecond}
		port := over(newCache(t, Config{}), upstream)
		_, _, err := ask(t.Context(), port, "A")
		require.NoError(t, err)

		var wg sync.WaitGroup
		batch := func(skus ...commerce.SKU) {
			wg.Go(func() {
				found, err := port.Products(t.Context(), us, skus)
				assert.NoError(t, err)
				for _, sku := range skus {
					assert.Equal(t, sku, found[sku].SKU)
				}
			})
			synctest.Wait()
		}
		batch("A", "B", "C", "B") // A is known: one call for B and C
		batch("B", "C", "D", "A") // B and C are under way: one call for D
		batch("C", "D")           // nothing left to ask
		wg.Wait()
		assert.Equal(t, []int{1, 2, 1}, upstream.keys)
	})
}

func TestPartialFailureIsPerKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		half := halfDown{}
		c := newCache(t, Config{})
		ctx, sink := commerce.WithSink(t.Context())
		found, err := over(c, half).Products(ctx, us, []commerce.SKU{"A", "bad", "unknown"})
		require.Error(t, err)
		assert.Contains(t, found, commerce.SKU("A"))
		require.NoError(t, commerce.KeyError(err, commerce.SKU("A")))
		require.NoError(t, commerce.KeyError(err, commerce.SKU("unknown")))
		require.ErrorIs(t, commerce.KeyError(err, commerce.SKU("bad")), commerce.ErrUnavailable)
		states := map[string]commerce.State{}
		for _, s := range sink.Sources() {
			states[s.Key] = s.State
			assert.Equal(t, "pim", s.System)
		}
		assert.Equal(t, map[string]commerce.State{"A": commerce.StateFresh, "unknown": commerce.StateFresh, "bad": commerce.StateMissing}, states)
	})
}

// halfDown cannot ask for the product "bad" and does not know "unknown".
type halfDown struct{}

func (halfDown) Products(_ context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	found, failed := map[commerce.SKU]*commerce.Product{}, map[commerce.SKU]error{}
	for _, sku := range skus {
		switch sku {
		case "bad":
			failed[sku] = errDown
		case "unknown":
		default:
			found[sku] = &commerce.Product{SKU: sku}
		}
	}
	if len(failed) > 0 {
		return found, &commerce.BatchError[commerce.SKU]{Errs: failed}
	}
	return found, nil
}

// marked leaves a mark on the trail, as the transport does when it retries.
type marked struct{}

func (marked) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	commerce.Mark(ctx, commerce.ReasonRetried)
	return map[commerce.SKU]*commerce.Product{skus[0]: {SKU: skus[0]}}, nil
}

func TestOutcomesAreReportedToThoseWhoWaited(t *testing.T) {
	t.Parallel()
	port := over(newCache(t, realTime), marked{})
	_, at, err := ask(t.Context(), port, "A")
	require.NoError(t, err)
	assert.Equal(t, []commerce.Reason{commerce.ReasonRetried}, at.Outcomes)
	_, at, err = ask(t.Context(), port, "A")
	require.NoError(t, err)
	assert.Empty(t, at.Outcomes)
}

// A load carries nothing of the caller who happened to start it.
func TestLoadsCarryNoValueOfACaller(t *testing.T) {
	t.Parallel()
	type secret struct{}
	seen := make(chan any, 1)
	port := over(newCache(t, realTime), spy{func(ctx context.Context) { seen <- ctx.Value(secret{}) }})
	_, _, err := ask(context.WithValue(t.Context(), secret{}, "ann"), port, "A")
	require.NoError(t, err)
	assert.Nil(t, <-seen)
}

type spy struct{ look func(context.Context) }

func (s spy) Products(ctx context.Context, _ commerce.Market, _ []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	s.look(ctx)
	return map[commerce.SKU]*commerce.Product{}, nil
}

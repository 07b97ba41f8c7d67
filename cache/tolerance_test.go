package cache

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// What a caller is given of an entry that is as old as it says, its system being well,
// slow, hung or down, when the caller takes what is at most so old.
func TestATooOldValueIsWaitedFor(t *testing.T) {
	t.Parallel()
	p := policies[commerce.OpProducts]
	age := p.Fresh + p.StaleWhileRevalidate // of the entry when it is asked for
	const none = time.Duration(-1)          // no bound
	for name, c := range map[string]struct {
		takes time.Duration
		err   error
		most  time.Duration
		state commerce.State
		after time.Duration
		name  string
	}{
		"slow, unbounded":        {500 * time.Millisecond, nil, none, commerce.StateStale, softTimeout, "1"},
		"slow, young enough":     {500 * time.Millisecond, nil, age + softTimeout, commerce.StateStale, softTimeout, "1"},
		"slow, too old":          {500 * time.Millisecond, nil, 2 * time.Second, commerce.StateFresh, 500 * time.Millisecond, "2"},
		"slow, none":             {500 * time.Millisecond, nil, 0, commerce.StateFresh, 500 * time.Millisecond, "2"},
		"hung, young enough":     {time.Hour, nil, age + softTimeout, commerce.StateStale, softTimeout, "1"},
		"hung, too old by then":  {time.Hour, nil, age + softTimeout - 1, commerce.StateMissing, defaultHardTimeout, ""},
		"hung, too old":          {time.Hour, nil, age - 1, commerce.StateMissing, defaultHardTimeout, ""},
		"down, young enough":     {time.Millisecond, errDown, age + time.Millisecond, commerce.StateStale, time.Millisecond, "1"},
		"down, too old by then":  {time.Millisecond, errDown, age, commerce.StateMissing, time.Millisecond, ""},
		"down, none":             {time.Millisecond, errDown, 0, commerce.StateMissing, time.Millisecond, ""},
		"down, more than policy": {time.Millisecond, errDown, 100 * p.life(), commerce.StateStale, time.Millisecond, "1"},
		"well, none":             {0, nil, 0, commerce.StateFresh, 0, "2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				upstream := &source{value: numbered}
				_, port := expired(t, upstream)
				upstream.set(func(s *source) { s.takes, s.err = c.takes, c.err })
				ctx := t.Context()
				if c.most != none {
					ctx = commerce.WithStaleUpTo(ctx, c.most)
				}
				begun := time.Now()
				got, at, err := ask(ctx, port, "A")
				assert.Equal(t, c.state, at.State)
				assert.Equal(t, c.after, time.Since(begun))
				if c.state == commerce.StateMissing {
					require.Error(t, err)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, c.name, got.Name)
			})
		})
	}
}

// While an answer may be revalidated, who takes nothing stale waits for it; who does is
// answered at once; both share one call.
func TestEachWaiterHasABoundOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := policies[commerce.OpProducts]
		upstream := &source{value: numbered}
		port := over(newCache(t, Config{}), upstream)
		_, _, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		time.Sleep(p.Fresh)
		upstream.set(func(s *source) { s.takes = 300 * time.Millisecond })

		type got struct {
			name  string
			state commerce.State
			after time.Duration
		}
		answers := make(chan got, 2)
		for _, most := range []time.Duration{2 * time.Second, time.Hour} {
			go func() {
				begun := time.Now()
				product, at, err := ask(commerce.WithStaleUpTo(t.Context(), most), port, "A")
				assert.NoError(t, err)
				answers <- got{product.Name, at.State, time.Since(begun)}
			}()
		}
		assert.Equal(t, got{"1", commerce.StateStale, 0}, <-answers)
		assert.Equal(t, got{"2", commerce.StateFresh, 300 * time.Millisecond}, <-answers)
		assert.Equal(t, 2, upstream.count())
	})
}

// A system that failed a moment ago is left alone for those who take what is old, and
// asked for those who do not, who share one call.
func TestAHeldAnswerIsNotForWhoTakesNothingOld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &source{value: numbered}
		_, port := expired(t, upstream)
		upstream.set(func(s *source) { s.err = errDown })
		_, at, err := ask(t.Context(), port, "A")
		require.NoError(t, err)
		require.Equal(t, commerce.StateStale, at.State)
		before := upstream.count()

		_, at, err = ask(commerce.WithStaleUpTo(t.Context(), time.Second), port, "A")
		require.ErrorIs(t, err, commerce.ErrUnavailable)
		assert.Equal(t, commerce.StateMissing, at.State)
		assert.Equal(t, commerce.ReasonUnavailable, at.Reason)
		assert.Equal(t, before+1, upstream.count())

		upstream.set(func(s *source) { s.err = nil })
		got, at, err := ask(commerce.WithStaleUpTo(t.Context(), time.Second), port, "A")
		require.NoError(t, err)
		assert.Equal(t, commerce.StateFresh, at.State)
		assert.Equal(t, fmt.Sprint(before+2), got.Name)
	})
}

// slowSearch answers a search after a time that a test sets.
type slowSearch struct{ source }

func (s *slowSearch) Search(ctx context.Context, m commerce.Market, _ commerce.SearchQuery) (*commerce.SearchResult, error) {
	if _, err := s.Products(ctx, m, []commerce.SKU{"A"}); err != nil {
		return nil, err
	}
	return &commerce.SearchResult{Total: s.count()}, nil
}

func TestABoundHoldsForWhatHasNoKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		upstream := &slowSearch{}
		c := newCache(t, Config{})
		port := c.Wrap(commerce.Ports{Search: upstream, Traits: publicTraits(commerce.OpSearch)}).Search
		find := func(ctx context.Context) (*commerce.SearchResult, commerce.State, error) {
			ctx, sink := commerce.WithSink(ctx)
			found, err := port.Search(ctx, us, commerce.SearchQuery{First: 1})
			return found, sink.Sources()[0].State, err
		}
		_, _, err := find(t.Context())
		require.NoError(t, err)
		time.Sleep(policies[commerce.OpSearch].Fresh)
		upstream.set(func(s *source) { s.takes = time.Hour })

		found, state, err := find(t.Context())
		require.NoError(t, err)
		assert.Equal(t, commerce.StateStale, state)
		assert.Equal(t, 1, found.Total)
		begun := time.Now()
		_, state, err = find(commerce.WithStaleUpTo(t.Context(), 2*time.Second))
		require.ErrorIs(t, err, commerce.ErrTimeout)
		assert.Equal(t, commerce.StateMissing, state)
		assert.Equal(t, defaultHardTimeout, time.Since(begun))
	})
}

// Whatever becomes of a system, and whatever was asked before, nobody is given what is
// staler than they said.
func TestNobodyIsGivenWhatIsStalerThanAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seed := rand.Uint64()
		rnd := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // not for secrets
		upstream := &source{value: numbered}
		port := over(newCache(t, Config{}), upstream)
		bounds := []time.Duration{0, time.Second, time.Minute, 6 * time.Minute, 20 * time.Minute, 24 * time.Hour}
		states := map[commerce.State]int{}
		for range 5_000 / sparing {
			upstream.set(func(s *source) {
				s.takes = []time.Duration{0, 50 * time.Millisecond, 300 * time.Millisecond, 3 * time.Second, time.Hour}[rnd.IntN(5)]
				s.err = []error{nil, nil, errDown}[rnd.IntN(3)]
			})
			most := bounds[rnd.IntN(len(bounds))]
			sku := commerce.SKU("ABC"[rnd.IntN(3):][:1])
			_, at, err := ask(commerce.WithStaleUpTo(t.Context(), most), port, sku)
			states[at.State]++
			if at.State == commerce.StateStale {
				require.LessOrEqual(t, at.Age, most, "seed %d", seed)
			}
			require.Equal(t, at.State == commerce.StateMissing, err != nil, "seed %d", seed)
			time.Sleep(time.Duration(rnd.Int64N(int64(4 * time.Minute))))
		}
		for _, state := range []commerce.State{commerce.StateFresh, commerce.StateStale, commerce.StateMissing} {
			assert.Greater(t, states[state], 100/sparing, "seed %d: %v", seed, states)
		}
	})
}

func TestStaleForIsWhatThePolicyGives(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 24*time.Hour, StaleFor(commerce.OpProducts))
	assert.Equal(t, 5*time.Minute, StaleFor(commerce.OpAvailability))
	assert.Zero(t, StaleFor(commerce.OpCustomer), "what belongs to one principal is never kept")
	assert.Zero(t, StaleFor(commerce.OpPlace), "nor is what has no row")
	for op, p := range policies {
		assert.Equal(t, p.life(), p.Fresh+StaleFor(op), op)
	}
}

package cache

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// unkeepable has what is known of "poison" panic when it is about to be kept.
func unkeepable(t *testing.T, port commerce.Catalog) commerce.Catalog {
	t.Helper()
	own, ok := port.(catalog)
	require.True(t, ok)
	own.op.plan.extra = func(tags, _ []commerce.Tag, value any) []commerce.Tag {
		if p, ok := value.(*commerce.Product); ok && p.SKU == "poison" {
			panic("fell over")
		}
		return tags
	}
	return own
}

// A value that cannot be kept fails who asked for it. Those who were asked for apart from
// it have their own, and nobody waits for ever.
func TestBoard_AValueThatCannotBeKeptFailsNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pim := &terminal{fails: func(skus []commerce.SKU) error {
			if len(skus) > 1 {
				return errDown
			}
			return nil
		}, slow: func(skus []commerce.SKU) time.Duration {
			if len(skus) == 1 && skus[0] != "poison" {
				return 10 * time.Millisecond // it is settled last
			}
			return 0
		}}
		c := boardingCache(t, Config{})
		boarders := boardAll(t.Context(), unkeepable(t, over(c, pim)), []commerce.SKU{"poison"}, []commerce.SKU{"A"}, []commerce.SKU{"B"})
		require.ErrorIs(t, boarders[0].err, errPanic)
		for _, v := range boarders[1:] {
			require.NoError(t, v.err)
			assert.Equal(t, boarding+10*time.Millisecond, v.took)
		}
		assert.Empty(t, c.flights.byKey)
	})
}

// What landed before that has landed: it is not landed again.
func TestC4_AValueThatCannotBeKeptIsAnErrorOfItsKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCache(t, Config{})
		found, err := unkeepable(t, over(c, &terminal{})).Products(t.Context(), us, []commerce.SKU{"A", "poison", "B"})
		require.ErrorIs(t, commerce.KeyError(err, commerce.SKU("poison")), errPanic)
		require.NoError(t, commerce.KeyError(err, commerce.SKU("A")))
		assert.Equal(t, commerce.SKU("A"), found["A"].SKU)
		assert.Empty(t, c.flights.byKey)
	})
}

// slowToFail asks for "poison" together with others at once, and by itself for longer than
// anybody waits.
func slowToFail(ended chan<- time.Duration) *clocked {
	begun := time.Now()
	return &clocked{terminal{fails: spoilt(errDown), slow: func(skus []commerce.SKU) time.Duration {
		if len(skus) == 1 && skus[0] == "poison" {
			return 2 * time.Second
		}
		return 0
	}}, func(skus []commerce.SKU) {
		if len(skus) == 1 && skus[0] == "poison" {
			ended <- time.Since(begun)
		}
	}}
}

// clocked tells when its calls end.
type clocked struct {
	terminal
	ended func([]commerce.SKU)
}

func (w *clocked) Products(ctx context.Context, m commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	defer w.ended(skus)
	return w.terminal.Products(ctx, m, skus)
}

// Who was answered waits no more: when those leave who were not, nobody is left, and what
// may not be kept is not asked for any longer, whoever else boarded.
func TestN6_WhatIsAskedApartEndsWithThoseWhoWaitForIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan time.Duration, 1)
		port, ok := over(boardingCache(t, Config{}), slowToFail(ended)).(catalog)
		require.True(t, ok)
		port.op.plan.policy.Fresh = 0
		ctx, leave := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, leave)
		other := make(chan []boarder, 1)
		go func() { other <- boardAll(t.Context(), port, []commerce.SKU{"A"}) }()
		_, err := port.Products(ctx, us, []commerce.SKU{"poison"})
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, (<-other)[0].err)
		assert.Equal(t, 100*time.Millisecond, <-ended)
	})
}

package cache

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/portico-bff/portico/schema/commerce"
)

// Who is patient has what comes after the time that others wait, as long as anything is under way.
func TestThePatientWaitLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pim := &terminal{takes: 2 * time.Second}
		c := boardingCache(t, Config{})
		port := over(c, pim)
		began := time.Now()
		_, err := port.Products(t.Context(), commerce.Market{}, []commerce.SKU{"A"})
		require.ErrorIs(t, err, commerce.ErrTimeout)
		assert.Equal(t, defaultHardTimeout, time.Since(began))
		c.work.Wait()

		began = time.Now()
		found, err := port.Products(commerce.WithPatience(t.Context()), commerce.Market{}, []commerce.SKU{"B"})
		require.NoError(t, err)
		assert.Contains(t, found, commerce.SKU("B"))
		assert.Less(t, time.Since(began), 3*time.Second)

		pim.takes = 2 * loadTimeout
		began = time.Now()
		_, err = port.Products(commerce.WithPatience(t.Context()), commerce.Market{}, []commerce.SKU{"C"})
		require.ErrorIs(t, err, commerce.ErrTimeout)
		assert.Equal(t, loadTimeout, time.Since(began))
		c.work.Wait()
	})
}

// A load that others began knows of the patient who waits for it, too: nothing is asked twice.
func TestALoadKnowsWhoIsPatient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var at []bool
		calls := 0
		c := boardingCache(t, Config{})
		port := over(c, watchedCatalog(func(ctx context.Context, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
			calls++
			at = append(at, commerce.Patient(ctx))
			time.Sleep(2 * time.Second)
			at = append(at, commerce.Patient(ctx))
			return map[commerce.SKU]*commerce.Product{skus[0]: {SKU: skus[0]}}, nil
		}))
		var all sync.WaitGroup
		all.Go(func() { _, _ = port.Products(t.Context(), commerce.Market{}, []commerce.SKU{"A"}) })
		time.Sleep(500 * time.Millisecond)
		found, err := port.Products(commerce.WithPatience(t.Context()), commerce.Market{}, []commerce.SKU{"A"})
		require.NoError(t, err)
		assert.Contains(t, found, commerce.SKU("A"))
		all.Wait()
		assert.Equal(t, 1, calls)
		assert.Equal(t, []bool{false, true}, at)

		_, err = port.Products(commerce.WithPatience(t.Context()), commerce.Market{}, []commerce.SKU{"B"})
		require.NoError(t, err)
		assert.Equal(t, []bool{true, true}, at[2:])
		_, _ = port.Products(t.Context(), commerce.Market{}, []commerce.SKU{"C"})
		c.work.Wait()
		assert.Equal(t, []bool{false, false}, at[4:], "nobody inherits it")
	})
}

type watchedCatalog func(context.Context, []commerce.SKU) (map[commerce.SKU]*commerce.Product, error)

func (f watchedCatalog) Products(ctx context.Context, _ commerce.Market, skus []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	return f(ctx, skus)
}

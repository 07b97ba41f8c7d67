package cache

import (
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
